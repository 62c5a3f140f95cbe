"""The work that operations stand for: asked for in a request, done after it, and taken up again after a crash."""
