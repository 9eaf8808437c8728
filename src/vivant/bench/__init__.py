"""What the main job costs, stage by stage and whole."""
