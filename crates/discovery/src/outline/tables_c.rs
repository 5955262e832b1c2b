//! The tables of C and of the languages written like it.

use super::rules::Name::{Children, Declarator, Fields};
use super::rules::Opens::{Function, FunctionOrClass, Type};
use super::rules::When::{
    Always, Child, ChildWord, Field, InType, Member, Outside, Prototype, Qualified, Shared,
};
use super::rules::{Rules, rule};
use super::tables::NAME;
use crate::SymbolKind as K;

pub(super) const C: Rules = Rules {
    rules: &[
        rule("function_definition", Declarator, Always, K::Function),
        rule("declaration", Declarator, Prototype, K::Function),
        rule("declaration", Declarator, Shared, K::Constant),
        // `typedef struct { … } Name;`
        rule(
            "type_definition",
            Declarator,
            Field("type", &["struct_specifier", "union_specifier"]),
            K::Struct,
        ),
        rule("type_definition", Declarator, Field("type", &["enum_specifier"]), K::Enum),
        rule("type_definition", Declarator, Always, K::Type),
        // Without a body it is a mention.
        rule("struct_specifier", NAME, Child("field_declaration_list"), K::Struct),
        rule("union_specifier", NAME, Child("field_declaration_list"), K::Struct),
        rule("enum_specifier", NAME, Child("enumerator_list"), K::Enum),
        // Without a value it is an include guard.
        rule("preproc_def", NAME, Child("preproc_arg"), K::Macro),
        rule("preproc_function_def", NAME, Always, K::Macro),
    ],
    scopes: &[("function_definition", Function)],
    names: &[],
};

pub(super) const CPP: Rules = Rules {
    rules: &[
        // `class EXPORT Name : Base { … }` is read as a function that returns `class EXPORT`.
        rule("function_definition", Fields(&["declarator"]), Field("type", &["class_specifier"]), K::Class),
        rule("function_definition", Declarator, Qualified, K::Method),
        rule("function_definition", Declarator, InType, K::Method),
        rule("function_definition", Declarator, Always, K::Function),
        rule("field_declaration", Declarator, Prototype, K::Method),
        rule("declaration", Declarator, Member, K::Method),
        rule("declaration", Declarator, Prototype, K::Function),
        rule("declaration", Declarator, Outside, K::Constant),
        rule(
            "type_definition",
            Declarator,
            Field("type", &["struct_specifier", "union_specifier"]),
            K::Struct,
        ),
        rule("type_definition", Declarator, Field("type", &["enum_specifier"]), K::Enum),
        rule("type_definition", Declarator, Always, K::Type),
        rule("alias_declaration", NAME, Always, K::Type),
        rule("concept_definition", NAME, Always, K::Trait),
        rule("namespace_definition", NAME, Always, K::Module),
        rule("class_specifier", NAME, Child("field_declaration_list"), K::Class),
        rule("struct_specifier", NAME, Child("field_declaration_list"), K::Struct),
        rule("union_specifier", NAME, Child("field_declaration_list"), K::Struct),
        rule("enum_specifier", NAME, Child("enumerator_list"), K::Enum),
        rule("preproc_def", NAME, Child("preproc_arg"), K::Macro),
        rule("preproc_function_def", NAME, Always, K::Macro),
    ],
    scopes: &[
        ("function_definition", FunctionOrClass),
        ("lambda_expression", Function),
        ("class_specifier", Type),
        ("struct_specifier", Type),
        ("union_specifier", Type),
    ],
    names: &["nested_namespace_specifier"],
};

pub(super) const JAVA: Rules = Rules {
    rules: &[
        rule("class_declaration", NAME, Always, K::Class),
        rule("record_declaration", NAME, Always, K::Class),
        rule("interface_declaration", NAME, Always, K::Interface),
        rule("annotation_type_declaration", NAME, Always, K::Interface),
        rule("enum_declaration", NAME, Always, K::Enum),
        rule("method_declaration", NAME, Always, K::Method),
        rule("constructor_declaration", NAME, Always, K::Method),
        rule("compact_constructor_declaration", NAME, Always, K::Method),
        rule("annotation_type_element_declaration", NAME, Always, K::Method),
        rule(
            "field_declaration",
            Fields(&["declarator", "name"]),
            ChildWord("modifiers", "static"),
            K::Constant,
        ),
        rule("constant_declaration", Fields(&["declarator", "name"]), Always, K::Constant),
        rule("module_declaration", NAME, Always, K::Module),
    ],
    scopes: &[],
    names: &[],
};

const C_SHARP_FIELD: &[&str] = &["variable_declaration", "variable_declarator", "identifier"];

pub(super) const C_SHARP: Rules = Rules {
    rules: &[
        rule("namespace_declaration", NAME, Always, K::Module),
        rule("file_scoped_namespace_declaration", NAME, Always, K::Module),
        rule("class_declaration", NAME, Always, K::Class),
        rule("record_declaration", NAME, Always, K::Class),
        rule("struct_declaration", NAME, Always, K::Struct),
        rule("interface_declaration", NAME, Always, K::Interface),
        rule("enum_declaration", NAME, Always, K::Enum),
        rule("delegate_declaration", NAME, Always, K::Type),
        rule("method_declaration", NAME, Always, K::Method),
        rule("constructor_declaration", NAME, Always, K::Method),
        rule("property_declaration", NAME, Always, K::Method),
        rule("event_declaration", NAME, Always, K::Method),
        rule("local_function_statement", NAME, Outside, K::Function),
        rule("field_declaration", Children(C_SHARP_FIELD), ChildWord("modifier", "const"), K::Constant),
        rule("field_declaration", Children(C_SHARP_FIELD), ChildWord("modifier", "static"), K::Constant),
    ],
    scopes: &[
        ("class_declaration", Type),
        ("record_declaration", Type),
        ("struct_declaration", Type),
        ("interface_declaration", Type),
        ("method_declaration", Function),
        ("constructor_declaration", Function),
        ("accessor_declaration", Function),
        ("lambda_expression", Function),
        ("local_function_statement", Function),
    ],
    names: &["qualified_name"],
};

pub(super) const KOTLIN: Rules = Rules {
    rules: &[
        rule("class_declaration", NAME, Child("interface"), K::Interface),
        rule("class_declaration", NAME, ChildWord("modifiers", "enum"), K::Enum),
        rule("class_declaration", NAME, Always, K::Class),
        rule("object_declaration", NAME, Always, K::Class),
        rule("companion_object", NAME, Always, K::Class),
        rule("function_declaration", NAME, InType, K::Method),
        rule("function_declaration", NAME, Always, K::Function),
        rule("property_declaration", Children(&["variable_declaration", "identifier"]), Outside, K::Constant),
        rule(
            "property_declaration",
            Children(&["variable_declaration", "identifier"]),
            ChildWord("modifiers", "const"),
            K::Constant,
        ),
        rule("type_alias", Fields(&["type"]), Always, K::Type),
    ],
    scopes: &[
        ("class_declaration", Type),
        ("object_declaration", Type),
        ("object_literal", Type),
        ("companion_object", Type),
        ("function_declaration", Function),
        ("anonymous_function", Function),
        ("lambda_literal", Function),
        ("secondary_constructor", Function),
        ("anonymous_initializer", Function),
        ("getter", Function),
        ("setter", Function),
    ],
    names: &[],
};

pub(super) const PHP: Rules = Rules {
    rules: &[
        rule("namespace_definition", NAME, Always, K::Module),
        rule("class_declaration", NAME, Always, K::Class),
        rule("interface_declaration", NAME, Always, K::Interface),
        rule("trait_declaration", NAME, Always, K::Trait),
        rule("enum_declaration", NAME, Always, K::Enum),
        rule("function_definition", NAME, Always, K::Function),
        rule("method_declaration", NAME, Always, K::Method),
        rule("const_element", Children(&["name"]), Always, K::Constant),
    ],
    scopes: &[],
    names: &["name", "namespace_name"],
};

pub(super) const SWIFT: Rules = Rules {
    rules: &[
        rule("class_declaration", NAME, Field("declaration_kind", &["class", "actor"]), K::Class),
        rule("class_declaration", NAME, Field("declaration_kind", &["struct"]), K::Struct),
        rule("class_declaration", NAME, Field("declaration_kind", &["enum"]), K::Enum),
        rule("class_declaration", NAME, Field("declaration_kind", &["extension"]), K::Type),
        rule("protocol_declaration", NAME, Always, K::Interface),
        rule("function_declaration", NAME, InType, K::Method),
        rule("function_declaration", NAME, Always, K::Function),
        rule("protocol_function_declaration", NAME, Always, K::Method),
        rule("init_declaration", NAME, Always, K::Method),
        rule("typealias_declaration", NAME, Always, K::Type),
        rule("associatedtype_declaration", NAME, Always, K::Type),
        rule("property_declaration", Fields(&["name", "bound_identifier"]), Outside, K::Constant),
        rule(
            "property_declaration",
            Fields(&["name", "bound_identifier"]),
            ChildWord("modifiers", "static"),
            K::Constant,
        ),
        rule("macro_declaration", Children(&["simple_identifier"]), Always, K::Macro),
    ],
    scopes: &[
        ("class_declaration", Type),
        ("protocol_declaration", Type),
        ("function_declaration", Function),
        ("init_declaration", Function),
        ("deinit_declaration", Function),
        ("subscript_declaration", Function),
        ("computed_property", Function),
        ("lambda_literal", Function),
    ],
    names: &["user_type", "custom_operator"],
};
