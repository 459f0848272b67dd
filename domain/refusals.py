"""Refusals: which record, which rule, and the next legal action."""

import logging

_logger = logging.getLogger(__name__)


def refusal(env, message, rule, next_action, record=None, exception=None):
    """Build the exception for a broken rule; the caller raises it.

    :param str message: what was refused, naming the record
    :param str rule: requirement and citation, e.g. ``"USE-010, 21 CFR 111.205(a)"``
    :param str next_action: the next legal action
    :param record: the record concerned, for the server log
    :param exception: class of the exception; ``UserError`` where none is given
    """
    _logger.info("Refused (%s), user %s, record %s: %s", rule, env.uid, record, message)
    if 'mrp.audit.entry' in env and env.registry.ready:
        env['mrp.audit.entry']._remember_refusal(message, rule, record)
    if exception is None:
        from odoo.exceptions import UserError as exception
    return exception(env._(
        "%(message)s\n\nRule: %(rule)s.\nWhat you can do: %(next_action)s",
        message=message, rule=rule, next_action=next_action,
    ))
