"""What the image actions are made of: finding images, marking what was made, waiting for it, sharing it, and taking it away.

An image is more than its id: it lies on snapshots, which outlive it unless somebody deletes them, need tags and permissions of
their own, and cost money. So every action here treats an image together with all of its snapshots. What the platform makes
carries two tags, `core:made-by` (run and action) and `core:made-from` (the source): by them a later try finds what an earlier
one made, and undo knows what is its own.
"""
