"""Many images to files: planned once, read part by part by many processes, killed and gone on with.

The room's parts, in the order in which an image meets them::

    inputs.py    what is to be read: folders, patterns, lists, archives, manifests
    members.py   the pictures in a tar or zip: where each lies, and its bytes
    remote.py    the pictures behind a URL, through fsspec
    tables.py    PyArrow, for Parquet
    job.py       the folder of a run: its plan, its parts, what is done; who works in it
    reading.py   one part: its pictures opened, read, and written
    parts.py     the formats of a part, and how parts become one file
    workers.py   the processes that read parts
    run.py       which part is read when, and what is done when a process dies
    summary.py   what came of it: counted, and spent
"""
