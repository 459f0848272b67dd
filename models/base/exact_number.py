"""The field of a number that a person wrote: exact, with its digits (NUM-010, NUM-020).

``ExactNumber`` is declared like any field and used instead of ``fields.Float`` wherever a person's number lives::

    from ..base.exact_number import ExactNumber
    minimum = ExactNumber()

- Stored as ``varchar`` in the canonical form, which a CHECK of the column holds against plain SQL; its type is ``char`` for
  the web client, whose views show it with ``widget="mmr_number"``.
- Accepts a canonical text, a Number, a Decimal with its digits or an int. A float, of code or of JSON, is taken by its
  shortest decimal form: 98.0 is 98, as a float has no digits. The screens send texts.
- A record gives a :class:`~odoo.addons.mrp_mmr.domain.numbers.Number`, or **None for a blank**. Every Number is true, so
  that ``if record.minimum`` asks whether there is one; zero is a value (R-09).
- Read, exported and onchange values are the canonical text; an import-compatible export and an import have the notation of
  the person.
- Searched, sorted and grouped by value: 98 finds 98.0. Domains take the same values as the field; False is a blank.
"""
import functools

from odoo import api, fields, models
from odoo.tools import SQL, sql

from ...domain.notation import read_number, write_number
from ...domain.numbers import CANONICAL, MINUS_ZERO, Number, NumberError
from ...domain.refusals import refusal
from .gmp_float import GmpFloat
from .notation import RULE, explain_number, get_canonical_help, get_notation


def text_of(number):
    """Return the canonical text of a Number, for a frozen document; None for a blank."""
    return None if number is None else number.text


class ExactNumber(fields.Char):
    """An exact decimal that keeps its digits; see the module."""

    # A blank is NULL, and no value is taken for a blank.
    falsy_value = None
    trim = True

    def _setup_attrs__(self, model_class, name):
        super()._setup_attrs__(model_class, name)
        assert not (self.translate or self.company_dependent), f"{self} has one value only"

    def convert_to_cache(self, value, record, validate=True):
        return None if value is None or value is False or value == '' else self._take(value, record).text

    def convert_to_column(self, value, record, values=None, validate=True):
        return self.convert_to_cache(value, record, validate)

    def convert_to_record(self, value, record):
        return None if value is None else Number(value)

    def convert_to_read(self, value, record, use_display_name=True):
        return False if value is None or value is False else str(value)

    def convert_to_export(self, value, record):
        if value is None or value is False:
            return ''
        if record.env.context.get('import_compat'):
            # Read again by the same person, it is the same number.
            return write_number(value, get_notation(record.env), grouped=False)
        return str(value)

    def _take(self, value, record):
        """Return the Number of a value, or refuse it by name."""
        try:
            return Number.from_float(value) if isinstance(value, float) else Number.of(value)
        except (NumberError, TypeError) as error:
            self._refuse(value, record, error)

    def _refuse(self, value, record, error):
        env = record.env
        raise refusal(
            env,
            env._("%(field)s: “%(value)s” is not a number in its canonical form.", field=self.string,
                  value=' '.join(str(value).split())[:60]),
            RULE, get_canonical_help(env), record if record.ids else None) from error

    # === DATABASE === #

    def update_db_column(self, model, column):
        super().update_db_column(model, column)
        add_canonical_check(model.env.cr, model._table, self.name)

    def _convert_db_column(self, model, column):
        # A cast would write 1e+15; see exact_number_column for the road that keeps evidence.
        raise TypeError(f"{self} is still a column of type {column['udt_name']}: a migration converts it")

    # === SEARCH === #

    def _condition_to_sql(self, field_expr, operator, value, model, alias, query):
        if field_expr != self.name or operator not in ('in', 'not in', '<', '>', '<=', '>='):
            return super()._condition_to_sql(field_expr, operator, value, model, alias, query)
        column = model._field_to_sql(alias, field_expr, query)
        number = SQL("%s::numeric", column)
        if operator not in ('in', 'not in'):
            if value is None or value is False:
                return SQL("FALSE")
            return SQL("%s %s %s::numeric", number, SQL(operator), self._take(value, model).text)
        numbers, has_blank = self._split_values(value, model)
        is_in = operator == 'in'
        terms = []
        if numbers:
            values = tuple(number.value for number in numbers)
            terms.append(SQL("%s IN %s" if is_in else "%s NOT IN %s", number, values))
        if is_in == has_blank:
            # In the values or blank; or not in the values, among which a blank is not.
            terms.append(SQL("%s IS NULL", column))
        elif not numbers:
            terms.append(SQL("%s IS NOT NULL", column) if has_blank else SQL("FALSE"))
        return SQL("(%s)", SQL(" OR ").join(terms))

    def filter_function(self, records, field_expr, operator, value):
        if field_expr == self.name and operator == 'in':
            numbers, has_blank = self._split_values(value, records)
            return lambda record: has_blank if record[self.name] is None else record[self.name] in numbers
        if field_expr == self.name and operator in ('<', '>', '<=', '>='):
            if value is None or value is False:
                return lambda record: False
            value = self._take(value, records)
        return super().filter_function(records, field_expr, operator, value)

    def _split_values(self, values, model):
        """Return the set of numbers of a condition, and whether a blank is among its values."""
        blanks = [value for value in values if value is None or value is False]
        return {self._take(value, model) for value in values if not (value is None or value is False)}, bool(blanks)


def add_canonical_check(cr, table, column):
    """Add the CHECK by which a column has numbers in their canonical form only, where it is missing."""
    name = sql.make_identifier(f'{table}_{column}_canonical')
    definition = f"CHECK ({column} ~ '{CANONICAL}' AND {column} !~ '{MINUS_ZERO}')"
    present = sql.constraint_definition(cr, table, name)
    if present == definition:
        return
    if present:
        sql.drop_constraint(cr, table, name)
    sql.add_constraint(cr, table, name, definition)


class Base(models.AbstractModel):
    _inherit = 'base'

    @api.model
    def _mmr_get_quantity_fields(self):
        """Return the names of Odoo's float fields that hold controlled quantities; extended by the models that have them.

        An import reads them as the person writes numbers, like exact numbers, and not as Odoo guesses them (NUM-010).
        """
        return set()

    @api.model
    def _mmr_is_typed_number(self, name):
        """Whether a field has a number that is read in the notation of the person, wherever it is imported (NUM-010)."""
        field = self._fields.get(name)
        return isinstance(field, ExactNumber | GmpFloat) or bool(
            field and field.type == 'float' and name in self._mmr_get_quantity_fields())

    def _get_exact_number(self, name):
        """Return the field, where it is an exact number."""
        field = self._fields.get(name)
        return field if isinstance(field, ExactNumber) else None

    def _order_field_to_sql(self, alias, field_name, direction, nulls, query):
        if self._get_exact_number(field_name):
            number = SQL("%s::numeric", self._field_to_sql(alias, field_name, query))
            query._order_groupby.append(number)
            return SQL("%s %s %s", number, direction, nulls)
        return super()._order_field_to_sql(alias, field_name, direction, nulls, query)

    def _read_group_groupby(self, alias, groupby_spec, query):
        if self._get_exact_number(groupby_spec):
            # 98 and 98.0 are one group, as its domain finds both.
            return SQL("trim_scale(%s::numeric)::text", self._field_to_sql(alias, groupby_spec, query))
        return super()._read_group_groupby(alias, groupby_spec, query)

    def _read_group_orderby(self, order, groupby_terms, query):
        exact = {spec: SQL("%s::numeric", term) for spec, term in groupby_terms.items() if self._get_exact_number(spec)}
        terms = {**groupby_terms, **exact} if exact else groupby_terms
        result = super()._read_group_orderby(order, terms, query)
        if exact:
            # The original changes what it is given, by what it orders many2ones.
            groupby_terms.update({spec: term for spec, term in terms.items() if spec not in exact})
        return result

    def _read_group_select(self, aggregate_spec, query):
        name, _colon, function = aggregate_spec.partition(':')
        if function in ('sum', 'min', 'max') and self._get_exact_number(name):
            number = SQL("%s::numeric", self._field_to_sql(self._table, name, query))
            return SQL("%s(%s)::text", SQL(function.upper()), number)
        return super()._read_group_select(aggregate_spec, query)


class IrFieldsConverter(models.AbstractModel):
    _inherit = 'ir.fields.converter'

    @api.model
    def to_field(self, model, field, fromtype=str, *, savepoint):
        convert = super().to_field(model, field, fromtype, savepoint=savepoint)
        if fromtype in (str, 'str') and model._mmr_is_typed_number(field.name):
            return functools.partial(self._str_to_exact_number, model, field, convert, savepoint=savepoint)
        return convert

    @api.model
    def _str_to_exact_number(self, model, field, convert, value, savepoint):
        """Read a number of a file in the notation of the person who loads it.

        :param convert: Odoo's own converter, for a float that a client sent as one
        """
        if field.type == 'float' and not isinstance(value, str):
            return convert(value)
        notation = get_notation(self.env)
        try:
            number = read_number(value, notation)
        except NumberError as error:
            raise self._format_import_error(ValueError, "%s", explain_number(self.env, error, notation)) from error
        if field.type == 'float':
            return float(number.value) if number else False, []
        return number.text if number else False, []
