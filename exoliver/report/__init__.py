"""Pages of a dataset and of the study: what they hold, and how they are rendered."""
