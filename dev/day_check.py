"""`dev/test --lint`: days come from the helpers (DAY-010), wherever the addon compares, prints, shows or encodes them."""
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
#: Where a day may be taken from a time: the helpers; what verifies an export knows no company; tests and tools.
EXEMPT = ('domain/days.py', 'guards/_days.sql', 'verification/', 'tests/', 'dev/', 'static/tests/')
SUFFIXES = ('.py', '.sql', '.xml', '.js')
PYTHON = "company._get_mmr_today() or company._get_mmr_day(time)"
SQL = "mrp_mmr_company_today(company) or mrp_mmr_company_day(time, company)"
#: Ending of the file, what is refused, and what is taken in its place.
RULES = tuple((suffix, re.compile(pattern), helper) for suffix, pattern, helper in (
    ('.py', r'\bDate\.today\b|\bdate\.today\(|\bcontext_today\b', PYTHON),
    ('.py', r'\.date\(\)', PYTHON),
    ('.py', r'\[:10\]|\[0:10\]', PYTHON),
    ('.py', r'%y%m%d|%d%m%y|%m%d%y|%Y-%m-%d[}\'"]', "domain.days.gs1_day(company._get_mmr_day(time))"),
    ('.py', r'\bDate\.to_string\([\w.]*(?:expiration_date|use_date|removal_date|alert_date|_at)\b', PYTHON),
    ('.py', r'\bpartner_id\.tz\b(?!, )', "company._get_mmr_zone()"),
    ('.xml', r'\bcontext_today\(\)|\bDate\.today\b', "a computed field of the model, by company._get_mmr_today()"),
    ('.js', r'\bDateTime\.(?:now|local|utc)\(\)\.(?:toISODate|toFormat)|\bnew Date\(\)\.toISOString\(\)\.(?:slice|substr)',
     "a day that the server sends"),
))
#: In SQL, also where it stands in Python.
SQL_RULES = tuple((re.compile(pattern, re.IGNORECASE), SQL) for pattern in (
    r'\bcurrent_date\b|\blocaltimestamp\b|\bcurrent_timestamp\s*::\s*date',
    r'\b(?:now|clock_timestamp|statement_timestamp|transaction_timestamp)\(\)[^;\n]*::\s*date\b',
    r"\b(?:\w+\.)?(?:at|moment|\w+_at|date|expiration_date|expiry)\s*::\s*date\b",
    r"""\bAT TIME ZONE (?!'UTC')""",
    r'(?<![.\w])to_date\(|\bdate_trunc\(',
))


def find(path, text):
    """Yield ``(line, what, helper)`` of what is no day of the company in the text of a file."""
    for number, line in enumerate(text.splitlines(), 1):
        for suffix, pattern, helper in RULES:
            if suffix == path.suffix and (match := pattern.search(line)):
                yield number, match[0].strip(), helper
        if path.suffix in ('.py', '.sql'):
            for pattern, helper in SQL_RULES:
                if match := pattern.search(line):
                    yield number, match[0].strip(), helper


def check(root=ROOT):
    """Return a message for each place of the addon that derives a day without the helpers."""
    messages = []
    for folder in sorted(path for path in root.iterdir() if not path.name.startswith('.')):
        for path in [folder] if folder.is_file() else sorted(folder.rglob('*')):
            name = path.relative_to(root).as_posix()
            if path.suffix in SUFFIXES and not name.startswith(EXEMPT):
                messages += [f"{name}:{number}: {what}: a day is a day of the company, take {helper} (DAY-010)"
                             for number, what, helper in find(path, path.read_text(encoding='utf-8'))]
    return messages


if __name__ == '__main__':
    found = check()
    print('\n'.join(found))
    sys.exit(bool(found))
