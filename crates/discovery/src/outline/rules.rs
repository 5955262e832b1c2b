//! What a table of a language consists of: which nodes define something, under what name, when.

use tree_sitter::Node;

use crate::SymbolKind;

/// Longer "names" are what error recovery swept together.
const MAX_NAME: usize = 200;

/// Everything that [`super::tree`] needs to know about a language.
#[derive(Debug)]
pub(super) struct Rules {
    /// Tried in order; the first one whose node, condition and name fit wins.
    pub rules: &'static [Rule],
    /// Nodes that change what the nodes inside them are.
    pub scopes: &'static [(&'static str, Opens)],
    /// Kinds of nodes that may be a name, besides those ending in `identifier`.
    pub names: &'static [&'static str],
}

/// One kind of definition.
#[derive(Debug)]
pub(super) struct Rule {
    pub node: &'static str,
    pub name: Name,
    pub when: When,
    pub kind: SymbolKind,
}

/// Short form, so that the tables stay tables.
pub(super) const fn rule(node: &'static str, name: Name, when: When, kind: SymbolKind) -> Rule {
    Rule { node, name, when, kind }
}

/// Where the name of a definition stands.
#[derive(Debug)]
pub(super) enum Name {
    /// Behind these fields, one inside the other.
    Fields(&'static [&'static str]),
    /// Behind the first children of these kinds, one inside the other.
    Children(&'static [&'static str]),
    /// At the bottom of a C declarator.
    Declarator,
    /// The value of this attribute of an HTML element.
    Attribute(&'static str),
    /// The tag of an HTML element.
    Tag,
}

/// What must hold besides the kind of the node.
#[derive(Debug)]
pub(super) enum When {
    Always,
    /// Not inside a function, where names are local.
    Shared,
    /// Neither inside a function nor inside a type.
    Outside,
    /// Inside a type.
    InType,
    /// This field holds one of these kinds of nodes.
    Field(&'static str, &'static [&'static str]),
    /// There is a child of this kind.
    Child(&'static str),
    /// A child of this kind has this word in it.
    ChildWord(&'static str, &'static str),
    /// The name starts with this.
    NameStarts(&'static str),
    /// The name contains this.
    NameHas(char),
    /// The C declarator declares a function, not a variable; the declaration is shared.
    Prototype,
    /// The C declarator declares a function of the type around it.
    Member,
    /// The C function is defined as a member: `A::f`.
    Qualified,
}

/// What a node opens for the nodes inside it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Opens {
    Function,
    Type,
    /// A function, or a C++ class that was read as one because of a macro before its name.
    FunctionOrClass,
    /// Definitions inside it extend over its lines.
    Block,
}

/// Where a node stands.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Scope {
    pub in_function: bool,
    pub in_type: bool,
    /// The lines of the innermost block.
    pub block: Option<(u32, u32)>,
}

impl Rules {
    /// The scope of the children of `node`.
    pub fn inside(&self, scope: Scope, node: &Node<'_>) -> Scope {
        if !node.is_named() {
            return scope;
        }
        let kind = node.kind();
        match self.scopes.iter().find(|(name, _)| *name == kind) {
            Some((_, Opens::Function)) => Scope { in_function: true, in_type: false, ..scope },
            Some((_, Opens::FunctionOrClass)) => {
                let in_type =
                    node.child_by_field_name("type").is_some_and(|it| it.kind() == "class_specifier");
                Scope { in_function: !in_type, in_type, ..scope }
            }
            Some((_, Opens::Type)) => Scope { in_function: false, in_type: true, ..scope },
            Some((_, Opens::Block)) => Scope { block: Some(lines(node)), ..scope },
            None => scope,
        }
    }

    /// What `node` defines.
    pub fn definition<'t>(
        &self,
        node: &Node<'_>,
        scope: Scope,
        text: &'t str,
    ) -> Option<(&'t str, SymbolKind)> {
        if !node.is_named() {
            return None;
        }
        let kind = node.kind();
        self.rules.iter().filter(|rule| rule.node == kind).find_map(|rule| {
            let name = self.name(&rule.name, node, text)?;
            rule.when.holds(node, scope, name, text).then_some((name, rule.kind))
        })
    }

    fn name<'t>(&self, name: &Name, node: &Node<'_>, text: &'t str) -> Option<&'t str> {
        let found = match name {
            Name::Fields(fields) => {
                let mut at = *node;
                for field in *fields {
                    at = at.child_by_field_name(field)?;
                }
                self.plain(innermost(at), text)?
            }
            Name::Children(kinds) => {
                let mut at = *node;
                for kind in *kinds {
                    at = child(&at, kind)?;
                }
                content(&at, text)?
            }
            Name::Declarator => declared(node, text)?.name,
            Name::Attribute(attribute) => attribute_value(&tag(node)?, attribute, text)?,
            Name::Tag => content(&child(&tag(node)?, "tag_name")?, text)?,
        };
        (!found.is_empty() && found.len() <= MAX_NAME && !found.contains('\n')).then_some(found)
    }

    /// The text of a node that is a name; patterns such as `a, b = …` are none.
    fn plain<'t>(&self, node: Node<'_>, text: &'t str) -> Option<&'t str> {
        let kind = node.kind();
        // A token that is no named node is an operator.
        let is_name = !node.is_named() || kind.ends_with("identifier") || self.names.contains(&kind);
        if is_name { content(&node, text) } else { None }
    }
}

impl When {
    fn holds(&self, node: &Node<'_>, scope: Scope, name: &str, text: &str) -> bool {
        match self {
            Self::Always => true,
            Self::Shared => !scope.in_function,
            Self::Outside => !scope.in_function && !scope.in_type,
            Self::InType => scope.in_type,
            Self::Field(field, kinds) => {
                node.child_by_field_name(field).is_some_and(|inner| kinds.contains(&inner.kind()))
            }
            Self::Child(kind) => child(node, kind).is_some(),
            Self::ChildWord(kind, word) => children(node, kind)
                .iter()
                .filter_map(|inner| content(inner, text))
                .any(|inner| inner.split_whitespace().any(|other| other == *word)),
            Self::NameStarts(start) => name.starts_with(start),
            Self::NameHas(c) => name.contains(*c),
            Self::Prototype => !scope.in_function && declared(node, text).is_some_and(|it| it.function),
            Self::Member => scope.in_type && declared(node, text).is_some_and(|it| it.function),
            Self::Qualified => declared(node, text).is_some_and(|it| it.qualified),
        }
    }
}

/// The first and last line of a node, from 1.
pub(super) fn lines(node: &Node<'_>) -> (u32, u32) {
    let (start, end) = (node.start_position(), node.end_position());
    // A node that ends with a line break (`#define`) ends before the first column of the next line.
    let last = if end.column == 0 && end.row > start.row { end.row - 1 } else { end.row };
    (start.row as u32 + 1, last as u32 + 1)
}

fn content<'t>(node: &Node<'_>, text: &'t str) -> Option<&'t str> {
    text.get(node.byte_range())
}

/// How many children are looked at: lists can be long.
const FIRST: usize = 16;

/// The first child of a kind.
fn child<'t>(node: &Node<'t>, kind: &str) -> Option<Node<'t>> {
    let mut cursor = node.walk();
    node.children(&mut cursor).take(FIRST).find(|child| child.kind() == kind)
}

/// All children of a kind among the first.
fn children<'t>(node: &Node<'t>, kind: &str) -> Vec<Node<'t>> {
    let mut cursor = node.walk();
    node.children(&mut cursor).take(FIRST).filter(|child| child.kind() == kind).collect()
}

/// The `b` of `A::b`, the `Name` of `Name<T>`.
fn innermost(mut node: Node<'_>) -> Node<'_> {
    while matches!(
        node.kind(),
        "scope_resolution"
            | "qualified_identifier"
            | "template_type"
            | "template_function"
            | "template_method"
    ) && let Some(inner) = node.child_by_field_name("name")
    {
        node = inner;
    }
    node
}

/// What a C declaration declares.
struct Declared<'t> {
    name: &'t str,
    function: bool,
    qualified: bool,
}

/// Goes down the declarators of a C declaration: `*(*name)(int)[3]` is read from outside to inside.
fn declared<'t>(node: &Node<'_>, text: &'t str) -> Option<Declared<'t>> {
    let mut at = node.child_by_field_name("declarator")?;
    let (mut function, mut qualified) = (false, false);
    loop {
        match at.kind() {
            "function_declarator" => function = true,
            "qualified_identifier" => qualified = true,
            "operator_cast" => {
                let (name, _) = content(&at, text)?.split_once('(')?;
                return Some(Declared { name: name.trim(), function: true, qualified });
            }
            // Parentheses alone change nothing.
            "parenthesized_declarator" | "attributed_declarator" => {}
            kind if kind.ends_with("_declarator") => function = false,
            "template_function" | "template_method" => {}
            "destructor_name" | "operator_name" | "primitive_type" => break,
            kind if kind.ends_with("identifier") => break,
            _ => return None,
        }
        at = at
            .child_by_field_name("declarator")
            .or_else(|| at.child_by_field_name("name"))
            .or_else(|| first_declarator(&at))?;
    }
    Some(Declared { name: content(&at, text)?, function, qualified })
}

fn first_declarator<'t>(node: &Node<'t>) -> Option<Node<'t>> {
    let mut cursor = node.walk();
    node.named_children(&mut cursor)
        .find(|child| child.kind().ends_with("declarator") || child.kind().ends_with("identifier"))
}

fn tag<'t>(element: &Node<'t>) -> Option<Node<'t>> {
    child(element, "start_tag").or_else(|| child(element, "self_closing_tag"))
}

fn attribute_value<'t>(tag: &Node<'_>, name: &str, text: &'t str) -> Option<&'t str> {
    let mut cursor = tag.walk();
    let found = tag.named_children(&mut cursor).find(|attribute| {
        child(attribute, "attribute_name")
            .and_then(|node| content(&node, text))
            .is_some_and(|found| found.eq_ignore_ascii_case(name))
    })?;
    let value = child(&found, "quoted_attribute_value").or_else(|| child(&found, "attribute_value"))?;
    Some(content(&value, text)?.trim_matches(['"', '\'']))
}
