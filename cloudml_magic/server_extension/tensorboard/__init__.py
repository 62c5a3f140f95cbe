"""TensorBoard beside the notebook: a process on a Unix socket, reached through the Jupyter server and no other way."""
