// A layer that has headers only still needs one file to archive.
