"""Samples of the longest tests: another part of their cases each day, all of them each night.

``dev/test`` chooses and prints the seed, ``dev/test --seed N`` tries the same cases again, ``dev/test --nightly`` tries all
of them. Without it: the environment variables below, and the log (INFO) has the seed.
"""

import logging
import os
import random
from math import ceil

_logger = logging.getLogger(__name__)

#: Names of environment variables: all cases where it is set; the seed of the samples.
NIGHTLY, SEED = 'MRP_MMR_TEST_NIGHTLY', 'MRP_MMR_TEST_SEED'

_seed = os.environ.get(SEED) or str(random.SystemRandom().randrange(1_000_000))


def sample_cases(test, cases, part=0.2):
    """Return a random part of ``cases``, in their order; all of them in a nightly run.

    :param test: the test case, whose name makes its sample independent of that of others
    :param list cases: what could be tried
    :param float part: share of them, from 0 to 1; at least one is returned
    """
    cases = list(cases)
    if os.environ.get(NIGHTLY):
        return cases
    count = ceil(len(cases) * part)
    chosen = sorted(random.Random(f'{_seed} {test.id()}').sample(range(len(cases)), count))
    _logger.info("%s: %s of %s cases, %s=%s", test.id(), count, len(cases), SEED, _seed)
    return [cases[position] for position in chosen]
