"""What tools/gpu_model and tools/gpu_check share: cards, sizes of models, what a step costs."""
