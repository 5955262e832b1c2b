//! The tables of the languages that are not written like C, and of those that had one first.

use super::rules::Name::{Attribute, Children, Fields, Tag};
use super::rules::Opens::{Block, Function, Type};
use super::rules::When::{Always, Field, InType, NameHas, NameStarts, Outside, Shared};
use super::rules::{Name, Rules, rule};
use crate::SymbolKind as K;

pub(super) const NAME: Name = Fields(&["name"]);

pub(super) const RUST: Rules = Rules {
    rules: &[
        rule("function_item", NAME, InType, K::Method),
        rule("function_item", NAME, Always, K::Function),
        rule("function_signature_item", NAME, InType, K::Method),
        rule("function_signature_item", NAME, Always, K::Function),
        rule("struct_item", NAME, Always, K::Struct),
        rule("union_item", NAME, Always, K::Struct),
        rule("enum_item", NAME, Always, K::Enum),
        rule("trait_item", NAME, Always, K::Trait),
        rule("type_item", NAME, Always, K::Type),
        rule("associated_type", NAME, Always, K::Type),
        rule("mod_item", NAME, Always, K::Module),
        rule("const_item", NAME, Shared, K::Constant),
        rule("static_item", NAME, Shared, K::Constant),
        rule("macro_definition", NAME, Always, K::Macro),
    ],
    scopes: &[
        ("function_item", Function),
        ("closure_expression", Function),
        ("impl_item", Type),
        ("trait_item", Type),
    ],
    names: &[],
};

pub(super) const PYTHON: Rules = Rules {
    rules: &[
        rule("function_definition", NAME, InType, K::Method),
        rule("function_definition", NAME, Always, K::Function),
        rule("class_definition", NAME, Always, K::Class),
        rule("assignment", Fields(&["left"]), Outside, K::Constant),
    ],
    scopes: &[("function_definition", Function), ("lambda", Function), ("class_definition", Type)],
    names: &[],
};

const FUNCTION_VALUES: &[&str] = &["arrow_function", "function_expression"];

pub(super) const TYPESCRIPT: Rules = Rules {
    rules: &[
        rule("function_declaration", NAME, Always, K::Function),
        rule("generator_function_declaration", NAME, Always, K::Function),
        rule("function_signature", NAME, Always, K::Function),
        rule("class_declaration", NAME, Always, K::Class),
        rule("abstract_class_declaration", NAME, Always, K::Class),
        rule("interface_declaration", NAME, Always, K::Interface),
        rule("enum_declaration", NAME, Always, K::Enum),
        rule("type_alias_declaration", NAME, Always, K::Type),
        rule("internal_module", NAME, Always, K::Module),
        rule("module", NAME, Always, K::Module),
        rule("method_definition", NAME, Always, K::Method),
        rule("abstract_method_signature", NAME, Always, K::Method),
        rule("public_field_definition", NAME, Field("value", FUNCTION_VALUES), K::Method),
        rule("variable_declarator", NAME, Field("value", FUNCTION_VALUES), K::Function),
        rule("variable_declarator", NAME, Shared, K::Constant),
    ],
    scopes: &[
        ("function_declaration", Function),
        ("method_definition", Function),
        ("arrow_function", Function),
        ("function_expression", Function),
    ],
    names: &[],
};

pub(super) const GO: Rules = Rules {
    rules: &[
        rule("function_declaration", NAME, Always, K::Function),
        rule("method_declaration", NAME, Always, K::Method),
        rule("method_elem", NAME, Always, K::Method),
        rule("type_spec", NAME, Field("type", &["struct_type"]), K::Struct),
        rule("type_spec", NAME, Field("type", &["interface_type"]), K::Interface),
        rule("type_spec", NAME, Always, K::Type),
        rule("type_alias", NAME, Always, K::Type),
        rule("const_spec", NAME, Shared, K::Constant),
        rule("var_spec", NAME, Shared, K::Constant),
    ],
    scopes: &[
        ("function_declaration", Function),
        ("method_declaration", Function),
        ("func_literal", Function),
    ],
    names: &[],
};

pub(super) const RUBY: Rules = Rules {
    rules: &[
        rule("class", NAME, Always, K::Class),
        rule("module", NAME, Always, K::Module),
        rule("method", NAME, InType, K::Method),
        rule("method", NAME, Always, K::Function),
        rule("singleton_method", NAME, Always, K::Method),
        rule("alias", NAME, InType, K::Method),
        // Other names on the left of `=` are local.
        rule("assignment", Children(&["constant"]), Shared, K::Constant),
    ],
    scopes: &[
        ("class", Type),
        ("module", Type),
        ("singleton_class", Type),
        ("method", Function),
        ("singleton_method", Function),
    ],
    names: &["constant", "setter", "operator"],
};

pub(super) const HTML: Rules = Rules {
    rules: &[
        rule("element", Attribute("id"), Always, K::Element),
        rule("script_element", Attribute("id"), Always, K::Element),
        rule("style_element", Attribute("id"), Always, K::Element),
        // Custom elements have a hyphen in their name.
        rule("element", Tag, NameHas('-'), K::Element),
    ],
    scopes: &[],
    names: &[],
};

pub(super) const CSS: Rules = Rules {
    rules: &[
        rule("class_selector", Children(&["class_name"]), Always, K::Selector),
        rule("id_selector", Children(&["id_name"]), Always, K::Selector),
        rule("declaration", Children(&["property_name"]), NameStarts("--"), K::Constant),
        rule("keyframes_statement", Children(&["keyframes_name"]), Always, K::Type),
    ],
    scopes: &[("rule_set", Block)],
    names: &[],
};

pub(super) const SHELL: Rules = Rules {
    rules: &[
        rule("function_definition", NAME, Always, K::Function),
        rule("variable_assignment", NAME, Shared, K::Constant),
    ],
    scopes: &[("function_definition", Function)],
    names: &["word", "variable_name"],
};
