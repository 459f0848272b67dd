"""Secrets that clients send are in no log, at any level (SIG-080, 21 CFR 11.300(d)): at DEBUG, Odoo logs all arguments."""

import logging

#: Where Odoo logs calls with their arguments.
LOGGERS = (
    'odoo.service.model', 'odoo.http', 'odoo.http.rpc.request', 'odoo.http.rpc.response', 'odoo.netsvc.rpc.request',
    'odoo.sql_db')
#: Parts of the names of methods and keys whose values are secrets.
SECRET = ('password', 'passwd', 'credential', 'secret', 'webauthn', 'esign', "'pin'", 'new_pin', 'check_identity')
HIDDEN = '…'


class SecretFilter(logging.Filter):
    """Hides the arguments of a call where its method or a key of them says that there is a secret."""

    def filter(self, record):
        if record.levelno <= logging.DEBUG and self.is_secret(record):
            record.msg, record.args = f"{str(record.msg)[:20]} {HIDDEN}", ()
        return True

    @staticmethod
    def is_secret(record):
        try:
            text = record.getMessage().lower()
        except (TypeError, ValueError):
            return True     # what cannot be read is not shown
        return any(word in text for word in SECRET)


def install():
    """Put the filter on each of :data:`LOGGERS`, once."""
    for name in LOGGERS:
        logger = logging.getLogger(name)
        if not any(isinstance(other, SecretFilter) for other in logger.filters):
            logger.addFilter(SecretFilter())
