"""The batch record: what was really done, from the first step to the decision of Quality Control."""

from . import bpr                 # the batch production record
from . import step                # the execution of one step
from . import yield_history       # yields of earlier batches
from . import copy                # printed worksheets
from . import transcription       # worksheets typed in
from . import alignment           # planned against actual
from . import result              # test results
from . import persons             # who took part in what
from . import content             # what a batch record holds, read in few queries
from . import release             # release or rejection of a batch
from . import release_issues      # what is open before that
from . import release_document    # the frozen record
from . import batch_review        # review by exception
from . import analysis            # pivot and graph
from . import status              # its status in words
from . import sample              # reserve samples
from . import floor               # the shop floor: batches
from . import workcenter          # what runs where
from . import websocket           # who hears the floor
from . import consumption         # what a batch takes out of stock
from . import production          # the order's moves follow the record
from . import agreement           # record, moves and stock say the same
from . import integrity           # content and digests agree
from . import cancellation        # a running batch is cancelled by signature
from . import serial              # serial numbers made, and yield
from . import links               # one click to what belongs to a batch
from . import my_work             # what waits on the floor and on the way to the release
from . import wall                # the large screen
