"""Read many images into files: plan once, read parts in several processes, resume after a crash.

The modules, in the order in which an image meets them::

    inputs.py    folders, patterns, lists, archives and URLs become pictures that any process can open
    archives.py  the pictures in a tar or zip
    job.py       the folder of a run: its plan, its parts, and what is done
    run.py       gives tasks to workers, reads them there, and finds a picture that kills a worker
    workers.py   the worker processes of this machine
    tables.py    the formats of a part, and how parts become one file
    summary.py   counts and costs
    batch.py     the same from Python, in one process and without files: `digitrec.batch`
"""
