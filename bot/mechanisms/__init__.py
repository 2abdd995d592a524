"""Mechanisms for every package, independent of the business."""
