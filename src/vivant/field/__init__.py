"""The motion field: the artefact between model and pixels."""
