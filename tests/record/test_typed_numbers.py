"""What people type at the shop floor in their language: read in one way, or refused; what was shown is what is stored."""

from odoo.tests import tagged

from .test_floor_hands import MAIN, Fingers, FloorHandsCommon

#: What is typed, by language, with what is understood of it or a part of the refusal.
READ = {
    'de_DE': [
        ("1.000", "1.000 can be read as 1000 or as 1,000"), ("12.5", "Write decimals as 12,5"), ("1e3", "has an exponent"),
        ("5 kg", "is not a number"), ("-", "is not complete"), ("1" * 40, "more digits than can be stored"),
        ("\t1 000,50\t", "= 1\u202f000,50 kg"), ("１２,５", "= 12,5 kg"), ("12,50", "= 12,50 kg")],
    'fr_FR': [
        ("1.000", "Write decimals as 12,5"), ("1,000", "= 1,000 kg"), ("1\u202f000,5", "= 1\u202f000,5 kg"),
        ("1\u00a0000", "= 1\u202f000 kg"), ("1'000", "is not a number in your language"), ("٣", "= 3 kg"),
        ("12,50", "= 12,50 kg")],
}


@tagged('post_install', '-at_install')
class TestTypedNumbers(FloorHandsCommon):

    def _put(self, hands, selector, text):
        """Type a text over what stands in a field, as a paste does: at once."""
        hands.js(f"(() => {{ const field = document.querySelector({selector!r}); field.focus(); field.select(); }})()")
        hands.insert(text)

    def _speak(self, language):
        self.env['res.lang']._activate_lang(language)
        self.user_operator.lang = language
        # The browser asks for it with a request of its own.
        self.env.registry.clear_cache('stable')

    def _type_weights(self, language):
        """Weigh in a language, and correct it in the dialog; every text is seen as it was understood, and stays."""
        self._speak(language)
        step = self._until(self.steps[0].name)
        with self._at_floor() as hands:
            do = Fingers(hands)
            hands.touch('.o_mrp_mmr_floor_lots button', "L-ASC")
            for text, expected in READ[language]:
                self._put(hands, '#floor_value', text)
                hands.see('#floor_value_understood', expected)
                self.assertEqual(self._value(hands, '#floor_value'), text)
                self.assertEqual(hands.js(f"Boolean(document.querySelector('{MAIN}'))"), expected.startswith("="))
            # The last one is recorded: what the button says is what is stored.
            do.main("Record 12,50 kg, L-ASC")
            hands.see('.o_mrp_mmr_floor_entry:not(.o_mrp_mmr_floor_waiting)', "12,50 kg")
            hands.touch('.o_mrp_mmr_floor_entry')
            hands.touch('.modal [data-action=correct]')
            hands.see('.modal #floor_value')
            # The number can be seen beside its unit.
            self.assertGreater(hands.js("document.querySelector('.modal #floor_value').offsetWidth"), 150)
            # Letters stay in the dialog: nothing goes on behind it.
            hands.touch('.modal #floor_value')
            hands.type("NaN")
            hands.see('.modal #floor_value_understood', "NaN is not a number")
            self._put(hands, '.modal #floor_value', "12,40")
            hands.see('.modal #floor_value_understood', "= 12,40 kg")
            hands.touch('.modal .o_mrp_mmr_floor_lots button', "L-ASC")
            hands.js("document.querySelector('.modal textarea').scrollIntoView({block: 'center'})")
            hands.touch('.modal textarea')
            hands.insert("Transposed")
            hands.touch('.modal .o_mrp_mmr_floor_record:enabled')
            hands.see('.o_mrp_mmr_floor_entry s', "12,50 kg")
        self.assertEqual(step.entry_ids.sorted('id').mapped('value'), ['12.50', '12.40'])

    def test_german(self):
        """NUM-010, NUM-020: 1.000 is refused with both readings, digits are kept, and a correction shows its number."""
        self._type_weights('de_DE')

    def test_french(self):
        """NUM-010, NUM-020: spaces of every kind separate thousands, a point is refused, digits are kept."""
        self._type_weights('fr_FR')

    def test_refusal_of_a_yield(self):
        """NUM-010, VER-060: the question about a yield has the signs of the person: 960.500 would be another number."""
        self._speak('de_DE')
        step = self._until("Yield")
        with self._at_floor() as hands:
            self._put(hands, '#floor_value', "960,500")
            Fingers(hands).main("Record 960,500 kg")
            hands.see('.o_mrp_mmr_floor_message', "960,500 kg is the result")
            self.assertEqual(self._value(hands, '#floor_value'), "960,500")
        self.assertFalse(step.entry_ids)
