"""Many images to files: planned once, read part by part by many processes, killed and gone on with.

The room's parts, in the order in which an image meets them::

    inputs.py    what is to be read: folders, patterns, lists, archives, manifests
    members.py   the pictures in a tar or zip: where each lies, and its bytes
    remote.py    the pictures behind a URL, through fsspec
    sources.py   a picture in a form that any process can open
    tables.py    PyArrow, for Parquet and tables
    job.py       the folder of a run: its plan, its parts, what is done; who works in it
    reading.py   one part: its pictures opened, read, and written
    parts.py     the formats of a part, and how parts become one file
    workers.py   the processes that read parts
    run.py       which part is read when, and what is done when a process dies
    cluster.py   the workers of a Dask cluster
    batch.py     the same from Python, without files: `digitrec.batch`
    summary.py   what came of it: counted, and spent
"""
