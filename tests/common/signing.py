"""Keys of the people of the tests, what a hostile client sends where a signature is named, and which models are signed."""

from dataclasses import replace
from unittest.mock import patch

from odoo import fields
from odoo.fields import Command

from odoo.addons.mrp_mmr.domain.sessions import session_of

PASSWORD = 'A-long-password-1'
#: Cost of the slow digest that protects the keys of the tests: low, and stored with each of them.
COST = 2 ** 4
#: The security administrator who enrols the keys of the tests.
ENROLLER = 't_keys'

#: What a client may send instead of the name of a signature.
HOSTILE = ('', None, 5, True, [], {}, ['submit'], 'a\0b', '\ud800', '__class__', 'Submit', 'submit ', 'x' * 10_000)


def at_any_terminal(env, name, *actions):
    """Let records of a model be signed at the terminal of a colleague, for tests of what holds there: a patcher."""
    rules = env.registry[name]._signing_actions
    return patch.dict(rules, {action: replace(rules[action], at_terminal=True) for action in actions})


def signing_models(env):
    """Return the models that are signed, by name."""
    mixin = env.registry['mrp.esignature.mixin']
    return {name: env[name] for name, model in sorted(env.registry.items())
            if issubclass(model, mixin) and not model._abstract}


def open_key(user, password=PASSWORD):
    """Return the private key of a person, as the signature dialog opens it by what the person types."""
    return user.env['mrp.signer.key']._open(user, password)


def get_enroller(env):
    """Return the security administrator who enrols keys: the first one of the database, else enrolled by the first one."""
    users = env['res.users'].sudo().with_context(no_reset_password=True)
    enroller = users.search([('login', '=', ENROLLER)])
    if not enroller:
        enroller = users.create({
            'name': "Test enroller", 'login': ENROLLER, 'password': PASSWORD, 'tz': 'UTC', 'group_ids': [
                Command.set([env.ref('base.group_user').id, env.ref('mrp_mmr.group_mmr_security').id])]})
        env['mrp.signer'].sudo()._set_up(
            enroller, env.ref('base.user_admin'), "Test", since=fields.Date.today().replace(year=2020, month=1, day=1))
    keys = env['mrp.signer.key'].sudo()
    demo = None if keys._is_set_up_open() else env.ref('mrp_mmr.user_demo_security', raise_if_not_found=False)
    keys._set_up(enroller, demo or enroller, {ENROLLER: PASSWORD, 'security': 'security'}, cost=COST)
    return enroller


def enrol_keys(users, password=PASSWORD):
    """Give keys to ``users``, under the password that they type, and have them enrolled."""
    env = users.env
    if env['mrp.signer.key'].sudo()._read_histories(users).keys() >= set(users.ids):
        return
    enroller = get_enroller(env)
    missing = users.company_ids - enroller.company_ids
    if missing:
        enroller.write({'company_ids': [Command.link(company.id) for company in missing]})
    secrets = {**dict.fromkeys(users.mapped('login'), password), ENROLLER: PASSWORD}
    env['mrp.signer.key'].sudo().with_context(allowed_company_ids=enroller.company_ids.ids)._set_up(
        users, enroller, secrets, cost=COST)


def enrol_waiting(user, enroller=None, password=PASSWORD):
    """Let a security administrator enrol the key that ``user`` made last; return the answer of the signature dialog."""
    env = user.env
    key = env['mrp.signer.key'].sudo()._get_last(user).with_user(enroller or get_enroller(env))
    with session_of(key.env.user):
        return key.esign('enrol', {'login': key.env.user.login, 'password': password}, key.esign_prepare('enrol')['digest'])
