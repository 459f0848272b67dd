"""Days of a company: times are stored in UTC, a date is a day on the calendar where the company is (DAY-010).

Every date that is compared, printed, shown or encoded comes from here, or from ``res.company``, which names the zone; in
PostgreSQL from ``mrp_mmr_company_day`` and ``mrp_mmr_company_today``, which say the same.
"""

from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

#: GS1 General Specifications 3.4.7: the expiry of a trade item, as year, month and day of two digits each.
GS1_EXPIRY = '17'


def get_zone(name):
    """Return a time zone by its name; UTC where there is no name, or none that is known here."""
    if not name:
        return UTC
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        # Unknown, no name of a zone at all, or that of a folder.
        return UTC


def is_zone(name):
    """Whether a time zone of this name is known here."""
    return name == 'UTC' or get_zone(name) is not UTC


def local_time(moment, zone):
    """Return a time on the clock of a zone.

    :param datetime moment: in UTC without zone, as Odoo stores it, or its text, ISO 8601 with or without ``Z``
    :param str zone: name of a time zone, see :func:`get_zone`
    :rtype: datetime with its zone; the last second of the year 9999 for what is later there, the first of year 1 for earlier
    """
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment[:19])
    zone = get_zone(zone)
    try:
        return moment.replace(tzinfo=UTC).astimezone(zone)
    except OverflowError:
        edge = datetime.max if moment.year > 1 else datetime.min
        return edge.replace(microsecond=0, tzinfo=zone)


def day_of(moment, zone):
    """Return the day of a time where the clocks show the time of ``zone``, or None for no time (DAY-010).

    :param moment: datetime in UTC without zone, or its text
    :rtype: date
    """
    return local_time(moment, zone).date() if moment else None


def has_day(moment, zone):
    """Whether a time lies on a day of the years 1 to 9999 where the clocks show the time of ``zone``."""
    try:
        moment.replace(tzinfo=UTC).astimezone(get_zone(zone))
    except OverflowError:
        return False
    return True


def begin_of(day, zone):
    """Return when a day begins in a zone, in UTC without zone.

    Where a change of clocks skips midnight, it begins with the hour after it; where midnight comes twice, with the first.
    A day that was skipped as a whole (30 December 2011 in Apia) begins when the next one does.
    """
    return datetime.combine(day, datetime.min.time(), get_zone(zone)).astimezone(UTC).replace(tzinfo=None)


def clock(moment, zone):
    """Return a time as it is printed: on the clock of ``zone``, with the abbreviation that tells the two hours of a change
    of clocks apart; None for no time."""
    return f"{local_time(moment, zone):%Y-%m-%d %H:%M:%S %Z}" if moment else None


def offset_label(moment, zone):
    """Return how far the clocks of ``zone`` are from UTC at a time, e.g. ``UTC-07:00``."""
    text = local_time(moment, zone).strftime('%z')
    return f'UTC{text[:3]}:{text[3:5]}'


def offsets(begin, end, zone):
    """Return how far the clocks of a zone are from UTC from one time to another, by their abbreviations, in order.

    A change of clocks that lasts less than a week is not seen.
    """
    found, moment = {}, begin
    while moment < end:
        found.setdefault(f'{local_time(moment, zone):%Z}', offset_label(moment, zone))
        moment += timedelta(days=7)
    found.setdefault(f'{local_time(end, zone):%Z}', offset_label(end, zone))
    return found


def parse_day(value):
    """Return what a person entered as a day; None for nothing.

    :param value: date, or its text ``YYYY-MM-DD``
    :raise ValueError: where it is none, such as 29 February of most years, or a day of the year 10000
    """
    if not value:
        return None
    if isinstance(value, datetime):
        raise ValueError("A time is not a day.")
    if isinstance(value, date):
        return value
    if not isinstance(value, str) or len(value) != len('YYYY-MM-DD'):
        raise ValueError(f"{value!r} is not a day of the years 1 to 9999.")
    return date.fromisoformat(value)


def is_expired(moment, zone, today):
    """Whether what expires at ``moment`` may not be used on ``today``: its day is the last on which it may."""
    return bool(moment) and day_of(moment, zone) < today


def gs1_day(day):
    """Return a day as GS1 encodes it, YYMMDD."""
    return f'{day:%y%m%d}'


def in_years(day, years):
    """Return the day so many years later: of 29 February the 28th, as PostgreSQL counts."""
    year = min(day.year + years, date.max.year)
    return day.replace(year=year, day=min(day.day, monthrange(year, day.month)[1]))


def in_days(day, days):
    """Return the day so many days later, or the last of the calendar."""
    try:
        return day + timedelta(days=days)
    except OverflowError:
        return date.max if days > 0 else date.min
