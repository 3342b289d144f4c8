"""What is shown, apart from how: small documents that every output form is made from."""
