"""Many clips from one file: on this machine, on the queue of a service, or on Ray."""
