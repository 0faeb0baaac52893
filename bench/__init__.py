"""Speed and memory of the fit, always as ratios within one run: `make bench`. Not part of the workflow."""
