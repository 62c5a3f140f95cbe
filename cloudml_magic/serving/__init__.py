"""From a model folder to answers over HTTP: the same process on this machine, in a container and on a VM."""
