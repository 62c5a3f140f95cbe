"""What the page asks of the Jupyter server: routes, and pushes over its event stream (docs/jupyter_server.md)."""
