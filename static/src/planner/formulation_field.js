import { registry } from "@web/core/registry";
import { SelectionField, selectionField } from "@web/views/fields/selection/selection_field";

/** A text field whose choices another field of the record lists. */
export class FormulationField extends SelectionField {
    static props = { ...SelectionField.props, choicesField: { type: String } };

    get options() {
        return (this.props.record.data[this.props.choicesField] || []).map((code) => [code, code]);
    }

    get string() {
        return this.value || "";
    }

    onChange(value) {
        return this.props.record.update({ [this.props.name]: value || false });
    }
}

registry.category("fields").add("mrp_mmr_formulation", {
    ...selectionField,
    component: FormulationField,
    supportedTypes: ["char"],
    fieldDependencies: ({ options }) => [{ name: options.choices_field, type: "json", readonly: true }],
    extractProps: (fieldInfo, dynamicInfo) => ({
        ...selectionField.extractProps(fieldInfo, dynamicInfo),
        choicesField: fieldInfo.options.choices_field,
    }),
});
