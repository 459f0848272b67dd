// A text field with choices that another field of the record lists.

import { registry } from "@web/core/registry";
import { SelectionField, selectionField } from "@web/views/fields/selection/selection_field";

/** A text field whose choices another field of the record lists: texts, or pairs of text and label. */
export class ChoicesField extends SelectionField {
    static props = { ...SelectionField.props, choicesField: { type: String } };

    get options() {
        const choices = this.props.record.data[this.props.choicesField] || [];
        return choices.map((choice) => (Array.isArray(choice) ? choice : [choice, choice]));
    }

    get string() {
        return this.options.find(([choice]) => choice === this.value)?.[1] || this.value || "";
    }

    onChange(value) {
        return this.props.record.update({ [this.props.name]: value || false });
    }
}

registry.category("fields").add("mrp_mmr_choices", {
    ...selectionField,
    component: ChoicesField,
    supportedTypes: ["char"],
    fieldDependencies: ({ options }) => [{ name: options.choices_field, type: "json", readonly: true }],
    extractProps: (fieldInfo, dynamicInfo) => ({
        ...selectionField.extractProps(fieldInfo, dynamicInfo),
        choicesField: fieldInfo.options.choices_field,
    }),
});
