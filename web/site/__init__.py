"""The pages as files: an archive that outlives tracker, database and program."""
