"""Read many images into a file: plan once, read in several processes, resume after a crash.

The modules, in the order in which an image meets them::

    inputs.py    folders, patterns, lists and archives become pictures
    archives.py  the pictures in a tar or zip
    job.py       the state file of a run: its plan, and the rows that are done
    run.py       gives tasks to workers, reads them there, and finds a picture that kills a worker
    workers.py   the worker processes of this machine
    summary.py   counts and costs
    batch.py     the same from Python, in one process and without files: `digitrec.batch`
"""
