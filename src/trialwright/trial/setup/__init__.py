"""Opening the study, its sites, and who may do what there."""
