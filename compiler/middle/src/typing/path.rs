//! Types along property paths, such as `payload.a[0]`: what is read there, and what becomes of a type when something is set
//! there or known of it.

use vgdc_ir::Ty;
use vgdc_value::{Path, PathSegment};

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A property's name.
    Key(String),
    /// An array's index.
    Index(usize),
    /// Read from the message: any name or index.
    Unknown,
}

/// The steps of a path into a message; `None` when it is none.
pub fn steps(text: &str) -> Option<Vec<Step>> {
    let path = Path::parse(text.strip_prefix("msg.").unwrap_or(text)).ok()?;
    let steps = path.segments().iter().map(|segment| match segment {
        PathSegment::Key(key) => Step::Key(key.as_str().to_owned()),
        PathSegment::Index(index) => Step::Index(*index),
        PathSegment::Nested(_) => Step::Unknown,
    });
    Some(steps.collect())
}

impl Step {
    fn name(&self) -> Option<String> {
        match self {
            Step::Key(name) => Some(name.clone()),
            Step::Index(index) => Some(index.to_string()),
            Step::Unknown => None,
        }
    }
}

/// What reading gives. Where the way ends early, nothing is read, or `undefined`.
pub fn get(of: &Ty, steps: &[Step]) -> Ty {
    let Some((first, rest)) = steps.split_first() else {
        return of.clone();
    };
    let Some(name) = first.name() else {
        return Ty::ANY;
    };
    let ends_early = !of.is(&Ty::ANY.present());
    let found = get(&of.property(&name), rest);
    match ends_early {
        true => found.join(&Ty::UNDEFINED),
        false => found,
    }
}

/// What becomes of a type when a value is set there. What is not there on the way is made; where that cannot be, all stays as
/// it is.
pub fn set(of: &Ty, steps: &[Step], value: &Ty) -> Ty {
    let Some((first, rest)) = steps.split_first() else {
        return value.clone();
    };
    let mut made = Ty::NEVER;
    // What can have no properties stays.
    let (objects, others) = split(of);
    if let Some(element) = of.element() {
        let inner = set(&element.join(&Ty::UNDEFINED), rest, value);
        // (a name that an array does not have is an error, and it stays)
        let gap = match first {
            Step::Index(index) if *index > 0 => Ty::UNDEFINED,
            Step::Index(_) => Ty::NEVER,
            _ => Ty::ANY,
        };
        made = made.join(&Ty::array(element.join(&inner).join(&gap)));
    }
    if !objects.is_never() {
        made = made.join(&match first.name() {
            Some(name) => objects.with(&name, set(&objects.field(&name), rest, value)),
            None => Ty::any_object(),
        });
    }
    if others.may_be(&Ty::UNDEFINED) || others.may_be(&Ty::NULL) {
        let fresh = match first {
            Step::Key(name) => Ty::object([(name, set(&Ty::UNDEFINED, rest, value))], false),
            Step::Index(0) => Ty::array(set(&Ty::UNDEFINED, rest, value)),
            Step::Index(_) => Ty::array(Ty::UNDEFINED.join(&set(&Ty::UNDEFINED, rest, value))),
            Step::Unknown => Ty::any_object().join(&Ty::array(Ty::ANY)),
        };
        made = made.join(&fresh);
    }
    made.join(&others)
}

/// What is left of a type when it is known that what is read there has the type `value`.
pub fn only(of: &Ty, steps: &[Step], value: &Ty) -> Ty {
    restrict(of, steps, &|found| found.meet(value))
}

/// What is left of a type when it is known that what is read there has not the type `value`.
pub fn except(of: &Ty, steps: &[Step], value: &Ty) -> Ty {
    restrict(of, steps, &|found| found.minus(value))
}

fn restrict(of: &Ty, steps: &[Step], kept: &dyn Fn(&Ty) -> Ty) -> Ty {
    let Some((first, rest)) = steps.split_first() else {
        return kept(of);
    };
    let Some(name) = first.name() else {
        return of.clone();
    };
    let (objects, others) = split(of);
    let mut left = others;
    // Where the way ends early, `undefined` is read.
    if kept(&Ty::UNDEFINED).is_never() {
        left = left.present();
    }
    if let Some(element) = of.element() {
        left = left.join(&Ty::array(element));
    }
    let field = objects.field(&name);
    // (what an object has from JavaScript is no field)
    let inherited = objects.property(&name) != field;
    let inner = restrict(&field, rest, kept);
    left.join(&match inherited {
        true => objects,
        false => objects.with(&name, inner),
    })
}

/// Objects with fields, and all that is neither one nor an array.
fn split(ty: &Ty) -> (Ty, Ty) {
    let objects = ty.meet(&Ty::any_object());
    let others = ty.minus(&Ty::any_object()).minus(&Ty::array(Ty::ANY));
    (objects, others)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ty(text: &str) -> Ty {
        text.parse().unwrap()
    }

    fn after(of: &str, path: &str, value: &str) -> String {
        set(&ty(of), &steps(path).unwrap(), &ty(value)).to_string()
    }

    #[test]
    fn setting_makes_the_way() {
        assert_eq!(after("object{}", "a", "number"), "object{a: number}");
        let made = after("object{}", "a.b", "number");
        assert_eq!(made, "object{a: object{b: number} | undefined}");
        let kept = after("object{a: string}", "a.b", "number");
        assert_eq!(kept, "object{a: string}");
        assert_eq!(
            after("object{}", "a[msg.x]", "bool"),
            "object{a: array<any> | object{..} | undefined}"
        );
        assert_eq!(
            after("object{a: array<bool>}", "a[0]", "string"),
            "object{a: array<bool | string>}"
        );
    }

    #[test]
    fn reading_may_end_early() {
        let of = ty("object{a: object{b: number} | null}");
        assert_eq!(
            get(&of, &steps("a.b").unwrap()).to_string(),
            "number | undefined"
        );
        assert_eq!(
            get(&of, &steps("msg.a").unwrap()).to_string(),
            "object{b: number} | null"
        );
    }

    #[test]
    fn what_is_known_narrows() {
        let of = ty("object{a: number | string | undefined, b: object{c: bool} | null}");
        let a = steps("a").unwrap();
        assert_eq!(only(&of, &a, &Ty::NUMBER).field("a"), Ty::NUMBER);
        assert_eq!(
            except(&of, &a, &Ty::NUMBER).field("a").to_string(),
            "string | undefined"
        );
        let c = steps("b.c").unwrap();
        assert_eq!(
            only(&of, &c, &Ty::BOOL).field("b").to_string(),
            "object{c: bool}"
        );
        assert!(only(&of, &c, &Ty::STRING).is_never());
    }
}
