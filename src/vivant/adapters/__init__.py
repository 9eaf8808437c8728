"""Other people's video models, in the layout of diffusers, behind `vivant.request.Generator`."""
