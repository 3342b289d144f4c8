"""The torch bridge: import, export, proofs, verification."""
