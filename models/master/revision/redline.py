"""What differs between two revisions: for the approver's eyes, for prints, and for the approval signature."""

from odoo import api, models

from ....domain import wording
from ....domain.arguments import takes
from ....domain.canonical import sha256
from ....domain.redline import SEPARATOR, compare, word_diff
from ....domain.refusals import refusal
from ....domain.revision_states import APPROVED_STATES

#: The field that a row has for as long as it exists: where it is new or gone, so is the row.
PRIMARY_FIELDS = {
    'component.product', 'by_product.product', 'material.product', 'operation.name', 'step.name', 'checklist.text',
    'ingredient.name', 'specification.parameter', 'pack.name', 'reference.document', 'section.name', 'reviewer.name',
    'answer.text',
}
#: Signatures whose signer sees, and signs, what changed.
REDLINE_ACTIONS = ('review', 'approve')
#: From this length on the words that changed are marked.
LONG_TEXT = 60


class MrpMmrRevision(models.Model):
    _inherit = 'mrp.mmr.revision'

    # === REDLINE === #

    def _get_redline_document(self):
        """Return what is compared: the frozen document, or the live content of a draft."""
        self.ensure_one()
        # Whoever may read the revision may read all of it, also without a right to read bills of materials.
        revision = self.sudo()
        return revision.document or revision._prepare_document()

    def _get_redline_base(self):
        """Return the revision that this one replaces: the effective one of its MMR, else the last that was approved.

        A revision of the past is compared with one before it, never with its successors.
        """
        self.ensure_one()
        earlier = self.mmr_id.with_context(active_test=False).revision_ids.filtered(
            lambda revision: revision.revision < self.revision and revision.state in APPROVED_STATES)
        effective = earlier.filtered(lambda revision: revision.state == 'effective')
        return effective or earlier.sorted('revision')[-1:]

    def _get_redline(self, other):
        """Return the redline from ``other``, which may be empty, to this revision (see :mod:`domain.redline`)."""
        self.ensure_one()
        return compare(other._get_redline_document() if other else None, self._get_redline_document())

    def _get_redline_digest(self):
        """Return what the signature of the approver is bound to: the base, and the digest of all differences from it."""
        redline = self._get_redline(self._get_redline_base())
        return {'before': redline['before'], 'redline_sha256': sha256(redline)}

    @api.model
    def _prepare_redline(self, redline, before=None, after=None):
        """Return a redline as people read it: by group and item, in their language, with the words that changed.

        :param dict redline: see :mod:`domain.redline`
        :param before: the older revision, for its status
        :param after: the newer revision, for its status
        """
        group_labels, field_labels = wording.redline_groups(self.env), wording.redline_fields(self.env)
        code_labels = wording.code_labels(self.env)
        groups = {}
        for change in redline['changes']:
            if change['kind'] != 'changed' and change['field'].endswith('product_unit_quantity'):
                continue  # follows from the quantity, which is new or gone as well
            label, code = field_labels.get(change['field'], (change['field'], None))
            words = code_labels.get(code, {})
            old, new = (words.get(change[side], change[side]) for side in ('before', 'after'))
            row = {'field': change['field'], 'label': label, 'kind': change['kind'], 'before': old, 'after': new}
            if change['field'].endswith('.position'):
                row.update(kind='moved', label=self.env._("Moved: position in the sequence"))
            elif change['kind'] == 'changed' and (max(len(old), len(new)) >= LONG_TEXT or '\n' in old + new):
                parts = word_diff(old, new)
                if any(kind == 'same' for kind, _text in parts):
                    row['parts'] = parts
            group = groups.setdefault(change['group'], {})
            group.setdefault(change['item'], []).append(row)
        return {
            'before': redline['before'] and self._prepare_redline_side(redline['before'], before),
            'after': self._prepare_redline_side(redline['after'], after),
            'redline_sha256': sha256(redline),
            'count': sum(len(rows) for items in groups.values() for rows in items.values()),
            'groups': [{
                'key': key,
                'label': group_labels[key],
                'count': sum(map(len, items.values())),
                'items': [{
                    'label': item,
                    'kind': self._get_redline_item_kind(item, rows),
                    'rows': rows,
                } for item, rows in items.items()],
            } for key, items in groups.items()],
        }

    @api.model
    def _get_redline_item_kind(self, item, rows):
        """Tell whether an item as a whole is added or removed, or some of its fields changed."""
        kinds = {row['kind'] for row in rows}
        if len(kinds) == 1 and kinds <= {'added', 'removed'}:
            for row in rows:
                # Equipment has a name or a class, and is called by it.
                called = row['field'].startswith('equipment.') and (
                    row['after'] or row['before']) == item.split(SEPARATOR)[-1]
                if called or row['field'] in PRIMARY_FIELDS:
                    return row['kind']
        return 'changed'

    @api.model
    def _prepare_redline_side(self, header, revision):
        return dict(
            header,
            label=self.env._("%(number)s revision %(revision)s", **header),
            status=revision and dict(revision._fields['state']._description_selection(self.env))[revision.state] or None,
        )

    def _prepare_redline_with(self, other):
        """Return the differences from ``other`` to this revision, for people."""
        return self._prepare_redline(self._get_redline(other), other, self)

    @takes(other_id='id')
    @api.readonly
    def get_redline_view(self, other_id=None):
        """Return the differences between two revisions, and which revisions can be chosen.

        :param other_id: the older revision; None for the one that this revision replaces, False for nothing
        """
        self.ensure_one()
        self.check_access('read')
        other = self._get_redline_base() if other_id is None else self._browse_redline_other(other_id)
        choices = self.search_fetch(
            [('product_id', '=', self.product_id.id)], ['mmr_id', 'revision', 'state'])
        states = dict(self._fields['state']._description_selection(self.env))
        # The own MMR first.
        choices = (choices | self | other).sorted(
            lambda revision: (revision.mmr_id != self.mmr_id, revision.mmr_id.name, -revision.revision))
        return {
            'revision_id': self.id,
            'other_id': other.id or False,
            'redline': self._prepare_redline_with(other),
            'choices': [{
                'label': self.env._(
                    "%(mmr)s · %(size)s", mmr=mmr.name, size=mmr._get_batch_size_label()),
                'revisions': [{
                    'id': revision.id,
                    'label': self.env._(
                        "%(mmr)s revision %(number)s · %(status)s", mmr=mmr.name, number=revision.revision,
                        status=states[revision.state]),
                } for revision in revisions],
            } for mmr, revisions in choices.grouped('mmr_id').items()],
        }

    @api.model
    def _browse_redline_other(self, other_id):
        """Return the revision to compare with, which its reader must be allowed to read.

        :raise UserError: if there is no such revision
        """
        other = self.browse(other_id if isinstance(other_id, int) and other_id else None).exists()
        if other_id and not other:
            raise refusal(
                self.env, self.env._("The revision to compare with does not exist."),
                "PRD-040", self.env._("choose another revision."))
        other.check_access('read')
        return other

    def action_redline(self):
        """Open the differences from the revision that this one replaces."""
        self.ensure_one()
        self.check_access('read')
        return {
            'type': 'ir.actions.client',
            'tag': 'mrp_mmr.redline',
            'name': self.env._("Differences of %s", self.display_name),
            'params': {'revision_id': self.id, 'other_id': self._get_redline_base().id or False},
        }

    # === SIGNING === #

    def action_open_signature(self, action):
        result = super().action_open_signature(action)
        if action in REDLINE_ACTIONS:
            # The differences stand beside the form.
            result['context'] = dict(result.get('context') or {}, dialog_size='extra-large')
        return result

    def esign_prepare(self, action):
        prepared = super().esign_prepare(action)
        if action in REDLINE_ACTIONS:
            prepared['redline'] = self._prepare_redline_with(self._get_redline_base())
        return prepared
