// The content list of a revision's profile: what is met, what is missing and where it is filled in.

import { Component } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

/**
 * The content list of a revision's profile: green rows are met, red rows say what is missing and lead to the
 * page of the form where it is filled in.
 */
export class CompletenessField extends Component {
    static template = "mrp_mmr.CompletenessField";
    static props = { ...standardFieldProps };

    get rows() {
        return this.props.record.data[this.props.name] || [];
    }

    get unmet() {
        return this.rows.filter((row) => row.problems.length);
    }

    onOpen(row) {
        const notebook = document.querySelector(".o_form_view .o_notebook");
        const tab = notebook && notebook.querySelector(`a.nav-link[name="${row.page}"]`);
        if (tab) {
            tab.click();
            tab.scrollIntoView({ block: "nearest" });
        }
    }
}

export const completenessField = {
    component: CompletenessField,
    displayName: _t("Completeness of an MMR"),
    supportedTypes: ["json"],
};

registry.category("fields").add("mrp_mmr_completeness", completenessField);
