"""Signers who meet: what others committed is seen, and where they came first, the same signature is made again (PRF-020)."""

import logging
import random
import time
from weakref import WeakKeyDictionary

from odoo import models
from odoo.http import request

from .audit_entry import REPEATED

_logger = logging.getLogger(__name__)

#: How often a signature is made again where another transaction came first, before Odoo repeats the whole request.
TRIES = 8
#: Seconds before the first repetition, at most; each further one waits up to twice as long.
WAIT = 0.05
#: Request → credential that was typed in it, whose it is and what it opened: as long as the request is answered.
_judged = WeakKeyDictionary()


class MrpEsignatureMixin(models.AbstractModel):
    """A secret is digested slowly, on purpose, and others go on meanwhile: a signature that went on from what was read before
    would be refused by PostgreSQL wherever they wrote. So the signature itself begins afterwards, and is repeated alone."""
    _inherit = 'mrp.esignature.mixin'

    def _judge_once(self, credential):
        """Return what :meth:`_judge_credential` returns, which is asked once for each request, however often Odoo repeats it.

        Afterwards others' work is seen. Committing what is open is right here alone: :meth:`esign` is what the browser calls,
        and nothing was written before it.
        """
        kept = request and _judged.get(request.httprequest)
        if kept and kept[0] == (self.env.uid, credential):
            signer, opened = kept[1:]
            return self.env['res.users'].browse(signer), opened
        signer, opened = self._judge_credential(credential)
        if request:
            _judged[request.httprequest] = (self.env.uid, dict(credential)), signer.id, opened
            self.env.cr.commit()  # pylint: disable=invalid-commit
        return signer, opened

    def _sign_among_others(self, sign):
        """Return what ``sign`` returns, called again where another transaction came first.

        Outside of a request the transaction is not ours to repeat.
        """
        is_kept = False
        try:
            for number in range(TRIES if request else 1):
                try:
                    return sign()
                except REPEATED as error:
                    is_kept = True
                    if not request or number == TRIES - 1:
                        raise
                    # In here, so that what was refused in the attempt is not recorded: it is judged again.
                    self.env.cr.rollback()
                    _logger.info("Signature repeated: another transaction came first (%s).", type(error).__name__)
                    time.sleep(random.uniform(0, WAIT * 2 ** number))
                    is_kept = False
        finally:
            if request and not is_kept:
                _judged.pop(request.httprequest, None)
