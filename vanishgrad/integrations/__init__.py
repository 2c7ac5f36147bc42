"""Callbacks of training frameworks that watch a model's gradients: Lightning, Keras and transformers' Trainer."""
