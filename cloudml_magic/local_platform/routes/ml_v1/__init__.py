"""The older AI Platform API (`ml` v1), one file per resource; what it asks for is done by what serves Vertex AI."""
