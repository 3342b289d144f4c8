"""Other people's tools: documentation that names a network and has its tables made when it is built."""
