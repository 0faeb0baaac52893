"""Tests on a fitted negative binomial model, in plain arrays."""
