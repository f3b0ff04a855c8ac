"""Read many images into a file: plan once, read in several processes, resume after a crash.

The modules, in the order in which they handle an image::

    inputs.py   folders, patterns, lists and archives become pictures
    job.py      the state file of a run: its plan, and the rows that are done
    batch.py    `digitrec.batch`; reads tasks in workers, and finds a picture that kills a worker
    workers.py  the worker processes of this machine
"""
