"""Sphinx, MkDocs and Python-Markdown: documents whose tables are made when they are built."""
