"""ONNX files read into models."""
