"""My Work: what waits for one person, what runs and what is late, collected from the subjects (USR-010)."""

from datetime import datetime

from odoo import api, fields, models
from odoo.tools import LazyTranslate

from ...domain.canonical import iso_utc
from ...domain.my_work import MAX_RECORDS, SECTIONS, SHOWN_LINES, Shared, WorkSource

_lt = LazyTranslate(__name__)
TITLES = {
    'sign': _lt("Waits for me"),
    'today': _lt("I may do today"),
    'late': _lt("Late"),
    'mine': _lt("My holds, deviations and training"),
    'running': _lt("Running"),
}
#: What a section says where it is empty, in its order.
EMPTY = {
    'sign': _lt("Nothing waits for your signature or your decision."),
    'today': _lt("No step, test or order is ready for you to begin."),
    'late': _lt("Nothing is late."),
    'mine': _lt("You have no open deviation, action or training."),
    'running': _lt("No batch is running."),
}
ACTION = 'mrp_mmr.mrp_my_work_action'


class MrpMyWork(models.AbstractModel):
    """The start page of every GMP role.

    Each subject declares its kinds of work as rows of ``_work_sources`` and writes their methods, in a file ``my_work.py`` of
    its own. A method searches as the person, so that companies, rights and record rules hold; it asks PostgreSQL a number of
    times that does not grow with the records, and offers a signature only where signing would not refuse the person
    (``mrp.esignature.mixin._filter_offered``).
    """
    _name = 'mrp.my.work'
    _description = "My Work"

    #: Kinds of work: name → WorkSource. Each class that extends this model adds its rows.
    _work_sources = {}

    @api.model
    @api.readonly
    def get_my_work(self):
        """Return the page of the person of the environment.

        :return: dict of ``now``, ``person``, ``roles``, ``is_home`` (it is the page after the login), ``notices`` (texts
            about the person) and ``sections``, those of which the person may have any work: each with ``code``, ``title``,
            ``empty``, ``count`` and ``groups``; a group is one kind of work with ``name``, ``title``, ``model``, ``opens``,
            ``count``, ``late``, ``ids`` (of all records, for the list), ``is_more`` (there are others, which were not looked
            at) and the first ``lines``
        """
        shared, sections = Shared(), {}
        for name, source in self._get_work_sources():
            if self._has_work(source):
                groups, lines = sections.setdefault(source.section, []), getattr(self, source.find)(shared)
                if lines:
                    groups.append(self._prepare_group(name, source, lines))
        return {
            'now': iso_utc(fields.Datetime.now()),
            'person': self.env.user.name,
            'roles': self.env.user.sudo().mmr_role_names or '',
            'is_home': self._is_home(),
            'notices': self._get_work_notices(),
            'sections': [{
                'code': code, 'title': self.env._(TITLES[code]), 'empty': self.env._(EMPTY[code]), 'groups': groups,
                'count': sum(group['count'] for group in groups)} for code, groups in sections.items()],
        }

    @api.model
    def _get_work_sources(self):
        """Return the rows of all subjects as pairs of name and source, in the order of the page."""
        sources = {}
        for definition in reversed(type(self).__mro__):
            sources.update(vars(definition).get('_work_sources') or {})
        return sorted(sources.items(), key=lambda row: (SECTIONS.index(row[1].section), row[1].order))

    @api.model
    def _has_work(self, source: WorkSource):
        """Whether the person has a role of ``source``, and may read its records."""
        user = self.env.user
        return (not source.roles or any(user.has_group(role) for role in source.roles)) \
            and self.env[source.model].has_access('read')

    @api.model
    def _find_work(self, model, domain, order=None):
        """Return the records that the person may see, one more than are looked at."""
        return self.env[model].search(domain, order=order, limit=MAX_RECORDS + 1)

    @api.model
    def _get_work_notices(self):
        """Return what the person should know about the own account, as texts; subjects add theirs."""
        return []

    # === LINES === #

    @api.model
    def _prepare_group(self, name, source, lines):
        is_more, lines = len(lines) > MAX_RECORDS, lines[:MAX_RECORDS]
        # Late ones first, then what is due next, then what waits longest.
        lines.sort(key=lambda line: (not line.is_late, self._get_clock(line.due) or '9', self._get_clock(line.since) or '9'))
        several = len(self.env.companies) > 1
        return {
            'name': name, 'title': self.env._(source.title), 'model': source.model, 'opens': source.opens or False,
            'count': len(lines), 'is_more': is_more, 'late': sum(line.is_late for line in lines),
            'ids': [line.record.id for line in lines],
            'lines': [self._prepare_line(source, line, several) for line in lines[:SHOWN_LINES]],
        }

    @api.model
    def _prepare_line(self, source, line, several):
        record = line.record
        company = record.sudo().company_id if several and 'company_id' in record._fields else None
        return {
            'id': record.id, 'name': line.name or record.display_name, 'what': line.what,
            'why': line.why or self.env._(source.why), 'since': self._get_clock(line.since), 'due': self._get_clock(line.due),
            'is_late': line.is_late, 'company': company.name if company else False, 'params': line.params or {},
        }

    @api.model
    def _get_clock(self, moment):
        """Return a time or a day as clients read it."""
        if isinstance(moment, datetime):
            return iso_utc(moment)
        return fields.Date.to_string(moment) if moment else False

    # === START PAGE === #

    @api.model
    def _is_home(self):
        return self.env.user.sudo().action_id.id == self.env.ref(ACTION).id

    @api.model
    def set_home(self):
        """Make this the page that the person of the environment sees after the login."""
        # Nobody writes this field of the own user but administrators, whom it is not worth to ask.
        self.env.user.sudo().action_id = self.env.ref(ACTION).id
        return True
