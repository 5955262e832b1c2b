//! Wraps [`rpc::api!`] so that each service also lists its types for the TypeScript generator.

macro_rules! service {
    (
        $(#[$doc:meta])*
        $vis:vis service $service:ident / $client:ident = $prefix:literal {
            $( $(#[$mdoc:meta])* $kind:ident $name:ident [$scope:ident] ($params:ty) -> $result:ty; )*
        }
    ) => {
        rpc::api! {
            $(#[$doc])*
            $vis service $service / $client = $prefix {
                $( $(#[$mdoc])* $kind $name [$scope] ($params) -> $result; )*
            }
        }

        impl $client {
            /// Adds every type of the service to the TypeScript declarations.
            pub(crate) fn declare(out: &mut $crate::typescript::Declarations) {
                $( service!(@types $kind out $params, $result); )*
            }
        }
    };
    // A feed's records are not JSON.
    (@types feed $out:ident $params:ty, $result:ty) => {
        $out.add::<$params>();
    };
    (@types $kind:ident $out:ident $params:ty, $result:ty) => {
        $out.add::<$params>();
        $out.add::<$result>();
    };
}
