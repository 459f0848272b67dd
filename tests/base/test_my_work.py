"""My Work: for each person what waits, runs and is late; nothing that signing would refuse, nothing that is not to be read."""

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from ..common.base import PASSWORD, HttpCase, MmrCommon, enrol
from ..common.signing import signing_models
from ..people import test_roles
from ..record.test_release import ReleaseCommon

#: Kind of work → the signature that it offers.
OFFERED = {
    'key_enrol': 'enrol', 'revision_submit': 'submit', 'revision_review': 'review', 'revision_approve': 'approve',
    'label_approve': 'approve', 'periodic_review': 'periodic_review', 'order_decide': 'continue', 'batch_issue': 'issue',
    'result_approve': 'approve_results', 'batch_produce': 'produce', 'batch_review': 'review', 'batch_certify': 'certify',
    'deviation_decide': 'decide', 'deviation_close': 'close', 'lot_decide': 'release', 'lot_destroy': 'destroy',
    'quality_review_approve': 'approve', 'quality_review_prepare': 'prepare', 'legal_hold': 'hold', 'disposal': 'dispose',
}
#: What a person on the floor has to type before the signature is possible, and what only the content of a draft says.
INCOMPLETE = ("not complete", "has overages", "cannot be closed yet", "lacks:", "was not said", "DEV-040")


class MyWorkCommon(MmrCommon):

    @classmethod
    def _page(cls, user, **context):
        return cls.env['mrp.my.work'].with_user(user).with_context(**context).get_my_work()

    @classmethod
    def _groups(cls, user, **context):
        """Return the groups of the page of a person, by name."""
        return {group['name']: group for section in cls._page(user, **context)['sections'] for group in section['groups']}

    @classmethod
    def _ids(cls, user, name, **context):
        """Return the ids that one kind of work of a person counts."""
        return set(cls._groups(user, **context).get(name, {'ids': ()})['ids'])


@tagged('post_install', '-at_install')
class TestEverySignature(test_roles.RolesCommon, MyWorkCommon):
    """On records on which every signature is possible, made for the table of roles."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for name in ('_make_batches', '_make_paper', '_make_transcriptions', '_make_equipment', '_make_lots',
                     '_make_deviations', '_make_releases'):
            getattr(test_roles.TestRoles, name).__func__(cls)
        cls.people = {**cls.users, 't_operator': cls.user_operator, 't_qc': cls.user_qc, 't_preparer': cls.user_preparer,
                      't_both': cls.user_both, 't_verifier': cls._person('verifier')}
        cls.env.flush_all()
        cls.env.invalidate_all()

    def _refusal_of_person(self, record, action):
        """Return whether signing refuses the person of the environment, or None where it refuses the record itself."""
        try:
            prepared = record._get_signing_action(action)
        except (UserError, AccessError):
            return None
        try:
            record._check_signing_role(prepared.group)
            record._check_signer(action, record.env.user)
        except (UserError, AccessError) as error:
            return str(error)
        return False

    def test_offered_is_what_signing_lets(self):
        """USR-010, VER-100: of all records and signatures, those are offered to a person that signing would not refuse."""
        tried = {True: 0, False: 0}
        for name, model in signing_models(self.env).items():
            for action, rule in model._get_signing_rules().items():
                self.assertEqual(bool(rule.check_signer), bool(rule.filter_signer), f"{name}:{action}")
                records = model.sudo().search([], limit=40)
                for who, user in self.people.items():
                    own = records.with_user(user).sudo(False)
                    if not own.has_access('read'):
                        continue
                    readable = own._filtered_access('read')
                    offered = readable._filter_offered(action)
                    for record in readable:
                        refused = self._refusal_of_person(record, action)
                        if refused is None or action == 'approve' and "APR-030" in (refused or ''):
                            # What else keeps a master from being approved is said on its form.
                            continue
                        tried[bool(refused)] += 1
                        if record in offered:
                            self.assertFalse(refused, f"{name}:{action} of {record} is offered to {who}")
                        elif not refused:
                            self.fail(f"{name}:{action} of {record} is not offered to {who}, whom signing lets")
        self.assertGreater(tried[False], 40)
        self.assertGreater(tried[True], 100)

    def test_lines_are_signable(self):
        """USR-010: what the page of a person offers to be signed, this person may sign, as soon as the content is complete."""
        seen = set()
        for who, user in self.people.items():
            for name, group in self._groups(user).items():
                if name not in OFFERED:
                    continue
                seen.add(name)
                for record in self.env[group['model']].with_user(user).browse(group['ids']):
                    with self.subTest(who=who, work=name, record=record):
                        try:
                            prepared = record._get_signing_action(OFFERED[name])
                            record._check_signing_role(prepared.group)
                            record._check_signer(OFFERED[name], user)
                        except UserError as error:
                            self.assertTrue(any(text in str(error) for text in INCOMPLETE), str(error))
        self.assertLessEqual({
            'key_enrol', 'revision_submit', 'revision_review', 'revision_approve', 'label_approve', 'order_decide',
            'batch_issue', 'result_approve', 'batch_review', 'deviation_decide', 'lot_decide', 'lot_destroy',
            'quality_review_approve', 'legal_hold', 'disposal'}, seen)

    def test_steps(self):
        """USR-010, VER-010: steps wait for whoever has the role and did not do them; corrections and copies of paper, too."""
        operator, verifier, qc = self.user_operator, self._person('verifier'), self.user_qc
        self.assertIn(self.verifying.id, self._ids(verifier, 'step_sign'))
        self.assertIn(self.adding_verified.id, self._ids(verifier, 'step_sign'))
        self.assertIn(self.adding.id, self._ids(operator, 'step_sign'))
        self.assertNotIn(self.verifying.id, self._ids(operator, 'step_sign'))
        self.assertIn(self.holding.id, self._ids(qc, 'step_sign'))
        self.assertNotIn(self.holding.id, self._ids(verifier, 'step_sign'))
        self.assertIn(self.correction.step_id.id, self._ids(operator, 'correction_sign'))
        self.assertIn(self.correction_signed.step_id.id, self._ids(verifier, 'correction_sign'))
        self.assertIn(self.transcription.id, self._ids(verifier, 'transcription_sign'))
        self.assertIn(self.late_transcription.id, self._ids(self.users['operator'], 'transcription_sign'))
        self.assertNotIn(self.transcription.id, self._ids(self.users['operator'], 'transcription_sign'))
        self.assertIn(self.first.id, self._ids(operator, 'step_begin'))
        self.assertFalse(self._ids(self.users['auditor'], 'step_begin'))
        line = next(line for line in self._groups(verifier)['step_sign']['lines'] if line['id'] == self.verifying.id)
        self.assertEqual(line['params'], {'bpr_id': self.verifying.bpr_id.id, 'step_id': self.verifying.id})
        self.assertEqual(line['what'], "verifies")

    def test_stopped_work(self):
        """USR-010, IPC-020: while a deviation blocks a batch its steps are offered to nobody, and the batch is on hold."""
        step = self.verifying
        self.env['mrp.deviation']._open(step.sudo(), 'departure', "Lamp broke", "Over the drum.")
        self.env.invalidate_all()
        self.assertNotIn(step.id, self._ids(self._person('verifier'), 'step_sign'))
        for role in ('operator', 'production', 'qc', 'auditor', 'planner'):
            self.assertIn(step.bpr_id.id, self._ids(self.users[role], 'batch_hold'), role)

    def test_quality(self):
        """USR-010: deviations, investigations, contributions, CAPA and quality reviews wait for those whom they concern."""
        self.assertIn(self.deviation.id, self._ids(self.user_qc, 'deviation_decide'))
        self.assertNotIn(self.decided.id, self._ids(self.user_qc, 'deviation_decide'))
        self.assertIn(self.decided.id, self._ids(self.user_qc, 'deviation_close'))
        self.assertEqual(self._ids(self.users['operator'], 'contribution_sign'), {self.deviation.id})
        self.assertIn(self.deviation.id, self._ids(self.user_operator, 'deviation_reported'))
        self.deviation.with_user(self.user_qc).investigator_id = self.users['production']
        self.assertEqual(self._ids(self.users['production'], 'deviation_investigate'), {self.deviation.id})
        running = self.capa_running.with_user(self.user_qc)
        running.write({'action_ids': [fields.Command.create({
            'name': "Brief the shift", 'owner_id': self.users['verifier'].id, 'due_date': '2020-01-01'})]})
        self.assertEqual(self._ids(self.users['verifier'], 'capa_action'), {running.id})
        self.assertIn(running.id, self._ids(self.users['production'], 'capa_late'))
        self.assertIn(self.review_draft.id, self._ids(self.user_both, 'quality_review_prepare'))
        self.assertNotIn(self.review_prepared.id, self._ids(self.user_both, 'quality_review_approve'))
        self.assertIn(self.review_prepared.id, self._ids(self.user_qc, 'quality_review_approve'))

    def test_people(self):
        """USR-010, SIG-120: security administrators see keys, locks and identities, and nothing of production."""
        security = self.users['security']
        self.assertIn(self.waiting_key.id, self._ids(security, 'key_enrol'))
        self.assertIn(self.locked.id, self._ids(security, 'signer_locked'))
        new = new_test_user(self.env, login='r_new', password=PASSWORD, groups='mrp_mmr.group_mmr_operator')
        self.assertIn(new.id, self._ids(security, 'signer_unverified'))
        self.assertEqual({section['code'] for section in self._page(security)['sections']}, {'sign', 'mine'})
        self.assertIn("somebody else set your password", self._page(new)['notices'][0])
        self.assertIn("locked", self._page(self.locked)['notices'][0])
        self.assertEqual(self._page(self.users['operator'])['notices'], [])

    def test_portal(self):
        """USR-010, SEC-010: who has no part in it gets an empty page."""
        for role in ('portal', 'internal'):
            self.assertFalse(self._groups(self.users[role]), role)

    def test_training(self):
        """USR-010, SEC-030: who lacks training sees it, and so does who gives it; with it the line is gone."""
        revision = self._new_revision(self.effective, training_required=True)
        self.env['mrp.mmr.answer'].with_user(self.user_preparer).create([
            {'revision_id': revision.id, 'requirement_id': requirement.id, 'answer': "None."}
            for requirement in self.env['mrp.mmr.requirement'].search([('check', '=', False)])])
        self._sign(revision, 'submit', self.user_preparer)
        self._sign(revision, 'review', self._person('production'))
        self._sign(revision, 'approve', self.user_qc)
        worker = self.user_operator
        self.assertIn(revision.id, self._ids(worker, 'training_own'))
        self.assertIn(revision.id, self._ids(self.users['production'], 'training_record'))
        self.assertFalse(self._ids(self.users['planner'], 'training_own'))
        self.assertEqual(revision._group_untrained_users()[revision], revision.untrained_user_ids)
        self.env['mrp.qualification'].with_user(self.user_qc)._grant(worker, revision, "Briefed")
        self.assertNotIn(revision.id, self._ids(worker, 'training_own'))

    def test_qualifications(self):
        """USR-010, SEC-030: a qualification that ends is shown to its owner and to whoever renews it."""
        quality_manager, person = self.users['quality_manager'], self.users['verifier']
        own = self.env['mrp.qualification'].search([('user_id', '=', person.id), ('kind', '=', 'role')], limit=1)
        with self._unguarded('mrp_qualification') as cr:
            cr.execute("UPDATE mrp_qualification SET valid_to = CURRENT_DATE + 10 WHERE id = %s", [own.id])
        self.assertEqual(self._ids(person, 'qualification_own'), {own.id})
        self.assertIn(own.id, self._ids(quality_manager, 'qualification_renew'))
        self.assertNotIn(own.id, self._ids(self.users['operator'], 'qualification_own'))

    def test_equipment(self):
        """USR-010, BPR-040: lines of a log wait for the role that signs them; instruments are late without calibration."""
        self.assertIn(self.cleaned.id, self._ids(self.user_operator, 'equipment_sign'))
        self.assertIn(self.checking.id, self._ids(self._person('verifier'), 'equipment_sign'))
        self.assertIn(self.calibrated.id, self._ids(self.user_qc, 'equipment_sign'))
        self.assertNotIn(self.checking.id, self._ids(self.user_operator, 'equipment_sign'))
        self.assertIn(self.scale.id, self._ids(self.user_operator, 'calibration_late'))

    def test_lots(self):
        """USR-010, REL-070: lots in quarantine wait for Quality Control, those of undecided batches do not."""
        found = self._ids(self.user_qc, 'lot_decide')
        self.assertIn(self.held.id, found)
        self.assertNotIn(self.released_lot.id, found)
        self.assertFalse(found & set((self.completed | self.approved).lot_ids.ids))
        self.assertFalse(self._ids(self.users['operator'], 'lot_decide'))
        deviation = self.env['mrp.deviation'].with_user(self.user_operator)._report(
            self.released_lot.with_user(self.user_operator), 'occurrence', "Smell", "Of mould.", severity='major')
        self.assertEqual(self.released_lot.mmr_hold_deviation_id.id, deviation.id)
        self.assertIn(self.released_lot.id, self._ids(self.user_operator, 'lot_hold_own'))
        self.assertIn(self.released_lot.id, self._ids(self.users['auditor'], 'lot_hold'))
        self.assertNotIn(self.released_lot.id, self._ids(self.user_qc, 'lot_decide'))

    def test_counts_are_lists(self):
        """USR-010: the number of a kind is that of the records behind it, each of them once, and the person may read them."""
        checked = 0
        for who, user in self.people.items():
            for name, group in self._groups(user).items():
                with self.subTest(who=who, work=name):
                    self.assertEqual(group['count'], len(group['ids']))
                    self.assertEqual(len(set(group['ids'])), len(group['ids']))
                    self.assertEqual(
                        self.env[group['model']].with_user(user).search_count([('id', 'in', group['ids'])]), group['count'])
                    self.assertTrue(all(line['name'] and line['why'] for line in group['lines']))
                    checked += 1
        self.assertGreater(checked, 60)


@tagged('post_install', '-at_install')
class TestRelease(ReleaseCommon, MyWorkCommon):
    """The way of a batch to its release, and how the page grows."""

    def test_way_to_release(self):
        """USR-010, BPR-130: the next signature of a batch waits for one who may give it, and what is open for who enters it."""
        bpr = self.bpr
        self.assertEqual(self._ids(self.user_qc, 'result_enter'), {bpr.id})
        self.assertFalse(self._ids(self.user_qc, 'batch_review'))
        self._enter_results(bpr, approve=False)
        self.assertFalse(self._ids(self.user_qc, 'result_enter'))
        # Not for the person who entered them.
        self.assertFalse(self._ids(self.user_qc, 'result_approve'))
        self.assertEqual(self._ids(self.user_both, 'result_approve'), {bpr.id})
        self._sign(bpr, 'approve_results', self.user_both)
        self.assertEqual(self._ids(self.user_qc, 'batch_review'), {bpr.id})
        self.assertFalse(self._ids(self.user_qc, 'batch_release'))
        self._sign(bpr, 'review', self.user_qc)
        self.assertEqual(self._ids(self.user_qc, 'batch_release'), {bpr.id})
        self.assertFalse(self._ids(self.user_qc, 'batch_review'))
        self._sign(bpr, 'release', self.user_qc)
        # What was packed is decided on by itself.
        group = self._groups(self.user_qc)['batch_release']
        self.assertEqual((group['ids'], group['lines'][0]['what']), (
            [bpr.id], "batch released · packed lot open · in quarantine"))
        bpr.with_user(self.user_qc).action_record_sample(self._prepare_reserve_vals())
        self._sign(bpr, 'release_packed', self.user_qc)
        self.assertFalse(self._ids(self.user_qc, 'batch_release'))
        self.assertFalse(self._ids(self.user_qc, 'batch_undecided'))

    def test_part_in_the_batch(self):
        """USR-010, REL-020: whoever worked on a batch is not offered its review."""
        worker = self.user_operator
        worker.group_ids += self.env.ref('mrp_mmr.group_mmr_qc')
        enrol(worker)
        self._enter_results(self.bpr)
        self.assertFalse(self._ids(worker, 'batch_review'))
        self.assertEqual(self._ids(self.user_qc, 'batch_review'), {self.bpr.id})

    def test_companies(self):
        """USR-010, SEC-010: nothing of a company that the person does not work in now."""
        other = self.env['res.company'].create({'name': "Another company"})
        self.user_qc.company_ids += other
        here, there = ([company.id] for company in (self.company, other))
        self.assertIn('batch_undecided', self._groups(self.user_qc, allowed_company_ids=here))
        self.assertFalse(self._groups(self.user_qc, allowed_company_ids=there))
        both = self._groups(self.user_qc, allowed_company_ids=here + there)
        self.assertEqual(both['batch_undecided']['lines'][0]['company'], self.company.name)
        stranger = enrol(new_test_user(
            self.env, login='t_there', password=PASSWORD, groups='mrp_mmr.group_mmr_qc', company_id=other.id,
            company_ids=[fields.Command.set(other.ids)]))
        self.assertFalse(self._groups(stranger))

    def test_late(self):
        """USR-010, IPC-040: a time that ran out makes its batch late."""
        order = self._create_order()
        order.action_confirm()
        self._sign(order.bpr_id, 'issue', self._person('production'))
        step = order.bpr_id.step_ids.sorted('sequence')[0]
        step.with_user(self.user_operator).action_start(acknowledged=True)
        self.assertNotIn('time_late', self._groups(self.user_operator))
        self.assertEqual(self._ids(self.user_operator, 'step_begun'), {step.id})
        with self._unguarded('mrp_bpr_step') as cr:
            cr.execute("""UPDATE mrp_bpr_step SET started_at = started_at - interval '5 hours',
                                 planned = jsonb_set(planned, '{time_limit}', '"30"') WHERE id = %s""", [step.id])
        group = self._groups(self.user_operator)['time_late']
        self.assertEqual((group['ids'], group['lines'][0]['is_late']), ([order.bpr_id.id], True))
        self.assertTrue(self._groups(self.user_operator)['batch_running']['lines'][0]['is_late'])

    def test_queries(self):
        """USR-010, PRF-010: queries do not grow with the records that wait."""
        users = (self.user_qc, self.user_operator, self._person('verifier'), self._person('production'), self.user_preparer)

        def add():
            """One more of each: completed, begun, held, to be issued; a draft, a submitted revision, a lot, a deviation."""
            order, begun, waiting = (self._create_order() for _number in range(3))
            (order | begun | waiting).action_confirm()
            self._sign(begun.bpr_id, 'issue', self._person('production'))
            step = begun.bpr_id.step_ids.sorted('sequence')[0]
            step.with_user(self.user_operator).action_start(acknowledged=True)
            self._record_step(step)
            self._sign(step, 'performed', self.user_operator)
            made = self._make_completed()
            self._enter_results(made, approve=False)
            self.env['mrp.deviation'].browse(step.with_user(self.user_operator).action_report("Spilled", "About a gram."))
            self._create_mmr(1000 + order.id)
            self._sign(self._create_mmr(2000 + order.id), 'submit', self.user_preparer)
            self._create_held_lot(f"Q-{order.id}")

        def count():
            counts = []
            for user in users:
                self._page(user)
                self.env.flush_all()
                self.env.invalidate_all()
                before = self.env.cr.sql_log_count
                self._page(user)
                counts.append(self.env.cr.sql_log_count - before)
            return counts

        add()
        first = count()
        add()
        add()
        self.assertEqual(first, count())
        self.assertLess(max(first), 200)


@tagged('post_install', '-at_install')
class TestStartPage(MyWorkCommon):

    def test_new_users(self):
        """USR-010: My Work is the start page of new users with a GMP role; others, and a page that was chosen, stay."""
        action = self.env.ref('mrp_mmr.mrp_my_work_action')
        chosen = self.env.ref('mrp_mmr.mrp_mmr_action')

        def user(login, groups, **vals):
            return new_test_user(self.env, login=login, password=PASSWORD, groups=groups, **vals)

        self.assertEqual(user('s_operator', 'mrp_mmr.group_mmr_operator').action_id.id, action.id)
        self.assertEqual(user('s_chosen', 'mrp_mmr.group_mmr_operator', action_id=chosen.id).action_id.id, chosen.id)
        planner = user('s_planner', 'mrp.group_mrp_user')
        self.assertFalse(planner.action_id)
        # Who gets a role later keeps the page, and may choose it.
        planner.group_ids += self.env.ref('mrp_mmr.group_mmr_operator')
        self.assertFalse(planner.action_id)
        self.assertFalse(self._page(planner)['is_home'])
        self.env['mrp.my.work'].with_user(planner).set_home()
        self.assertTrue(self._page(planner)['is_home'])
        self.assertEqual(planner.action_id.id, action.id)

    def test_sources(self):
        """USR-010: each kind of work names a section, a model and a method that there are, and has a place of its own."""
        sources = dict(self.env['mrp.my.work']._get_work_sources())
        self.assertGreater(len(sources), 40)
        places = set()
        for name, source in sources.items():
            with self.subTest(name):
                self.assertIn(source.model, self.env)
                self.assertTrue(callable(getattr(self.env['mrp.my.work'], source.find)))
                self.assertNotIn((source.section, source.order), places)
                places.add((source.section, source.order))
                self.assertTrue(all(self.env.ref(role) for role in source.roles))


@tagged('post_install', '-at_install')
class TestTours(ReleaseCommon, HttpCase):
    """The page in a browser, as the people that use it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._enter_results(cls.bpr)
        order = cls._create_order()
        order.action_confirm()
        cls.running = order.bpr_id
        cls._sign(cls.running, 'issue', cls._person('production'))
        cls._sign(cls._create_mmr(500), 'submit', cls.user_preparer)
        cls._create_mmr(700)
        cls._create_held_lot("Q-1")

    def test_counts(self):
        """USR-010: each number of the page opens a list of as many records: each role."""
        for login in ('t_qc', 't_operator', 't_preparer', 't_planner', 't_auditor', 't_production'):
            with self.subTest(login):
                self.start_tour('/odoo/gmp-my-work', 'mrp_mmr_my_work_counts', login=login)

    def test_review(self):
        """USR-010, BPR-130: a line leads to where its button is; when it was signed, the page says what is next."""
        self.start_tour('/odoo/gmp-my-work', 'mrp_mmr_my_work_review', login='t_qc')
        self.assertEqual(self.bpr.release_state, 'approved')

    def test_floor(self):
        """USR-010: from the page to the step on the floor in one click."""
        self.start_tour('/odoo/gmp-my-work', 'mrp_mmr_my_work_floor', login='t_operator')

    def test_wall(self):
        """USR-010: the wall shows what runs and what waits, and says since when it could not ask."""
        self.start_tour('/odoo/gmp-wall', 'mrp_mmr_wall', login='t_production')

    def test_wall_content(self):
        """USR-010, SEC-010: the wall shows batches, holds and what waits, of the companies of the person alone."""
        self.env['mrp.deviation']._open(self.running.step_ids[:1], 'departure', "Lamp broke", "Over the drum.")
        wall = self.env['mrp.bpr'].with_user(self.user_operator).get_wall()
        self.assertEqual([row['name'] for row in wall['batches']], [self.running.name])
        self.assertEqual([(row['batch'], row['title']) for row in wall['holds']], [(self.running.name, "Lamp broke")])
        self.assertEqual([(row['name'], row['status_text']) for row in wall['waiting']], [
            (self.bpr.name, "to be reviewed · in quarantine")])
        self.assertEqual((wall['batches_more'], wall['holds_more'], wall['waiting_more']), (0, 0, 0))
        other = self.env['res.company'].create({'name': "Another company"})
        self.user_operator.company_ids += other
        empty = self.env['mrp.bpr'].with_user(self.user_operator).with_context(allowed_company_ids=other.ids).get_wall()
        self.assertFalse(empty['batches'] or empty['holds'] or empty['waiting'])
