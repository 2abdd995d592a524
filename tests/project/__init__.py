"""Tests about the project itself: what surrounds the code must agree with it."""
