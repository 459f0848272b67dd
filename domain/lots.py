"""Status of lots: what may be used and what may not."""

#: What is not used, sold or moved out.
ON_HOLD = ('quarantine', 'rejected')


def is_free(status, is_decided_on):
    """Whether goods of a lot may be used and may leave.

    :param status: of the lot, or False where it has none or no lot is named
    :param bool is_decided_on: whether Quality Control decides on lots of the product: it is under control, or its lots need
        a release. Then nothing but its release makes them free, whatever else a lot says.
    """
    return status == 'released' if is_decided_on else status not in ON_HOLD
