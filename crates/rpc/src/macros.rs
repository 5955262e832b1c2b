//! The `api!` macro: one declaration of a service makes its trait, its router entries and its client.

/// Declares a service.
///
/// ```
/// use rpc::{ApiError, Caller, ItemStream};
///
/// rpc::api! {
///     /// Greets.
///     pub service Greeter / GreeterClient = "greeter" {
///         /// Says hello to a name.
///         unary hello [View] (String) -> String;
///         /// Counts up to a number.
///         stream count [View] (u32) -> u32;
///     }
/// }
/// ```
///
/// gives the trait `Greeter` (whoever implements it must implement every method), and `GreeterClient` with
/// one function per method, `METHODS`, and `mount` for a [`crate::Router`].
#[macro_export]
macro_rules! api {
    (
        $(#[$doc:meta])*
        $vis:vis service $service:ident / $client:ident = $prefix:literal {
            $( $(#[$mdoc:meta])* $kind:ident $name:ident [$scope:ident] ($params:ty) -> $result:ty; )*
        }
    ) => {
        $(#[$doc])*
        $vis trait $service: Send + Sync + 'static {
            $( $crate::api!(@declare $kind $(#[$mdoc])* $name $params, $result); )*
        }

        #[doc = concat!("Calls the `", $prefix, "` service over a link.")]
        #[derive(Clone)]
        $vis struct $client(pub $crate::Client);

        impl $client {
            /// Every method of the service.
            pub const METHODS: &'static [$crate::MethodSpec] = &[
                $( $crate::api!(@spec $kind $prefix $name $scope $params, $result) ),*
            ];

            /// Mounts an implementation on `router`.
            pub fn mount<S: $service>(router: &mut $crate::Router, service: $crate::__private::Arc<S>) {
                $( $crate::api!(@mount $kind router service $service $prefix $name $scope $params, $result); )*
            }

            $( $crate::api!(@call $kind $(#[$mdoc])* $prefix $name $params, $result); )*
        }
    };

    (@declare unary $(#[$mdoc:meta])* $name:ident $params:ty, $result:ty) => {
        $(#[$mdoc])*
        fn $name(&self, caller: &$crate::Caller, params: $params)
            -> impl ::core::future::Future<Output = Result<$result, $crate::ApiError>> + Send;
    };
    (@declare stream $(#[$mdoc:meta])* $name:ident $params:ty, $result:ty) => {
        $(#[$mdoc])*
        fn $name(&self, caller: &$crate::Caller, params: $params)
            -> impl ::core::future::Future<Output = Result<$crate::ItemStream<$result>, $crate::ApiError>> + Send;
    };

    (@declare feed $(#[$mdoc:meta])* $name:ident $params:ty, $result:ty) => {
        $(#[$mdoc])*
        fn $name(&self, caller: &$crate::Caller, params: $params, consumed: $crate::Consumed)
            -> impl ::core::future::Future<Output = Result<$crate::RecordStream, $crate::ApiError>> + Send;
    };

    (@spec unary $prefix:literal $name:ident $scope:ident $params:ty, $result:ty) => {
        $crate::MethodSpec {
            name: concat!($prefix, ".", stringify!($name)),
            kind: $crate::Kind::Unary,
            scope: $crate::Scope::$scope,
            params: stringify!($params),
            result: stringify!($result),
        }
    };
    (@spec stream $prefix:literal $name:ident $scope:ident $params:ty, $result:ty) => {
        $crate::MethodSpec {
            name: concat!($prefix, ".", stringify!($name)),
            kind: $crate::Kind::Stream,
            scope: $crate::Scope::$scope,
            params: stringify!($params),
            result: stringify!($result),
        }
    };

    (@spec feed $prefix:literal $name:ident $scope:ident $params:ty, $result:ty) => {{
        // The records of a feed have one form.
        let _record: Option<$result> = None::<$crate::Record>;
        $crate::MethodSpec {
            name: concat!($prefix, ".", stringify!($name)),
            kind: $crate::Kind::Feed,
            scope: $crate::Scope::$scope,
            params: stringify!($params),
            result: stringify!($result),
        }
    }};

    (@mount feed $router:ident $object:ident $service:ident $prefix:literal $name:ident $scope:ident $params:ty, $result:ty) => {{
        let object = $crate::__private::Arc::clone(&$object);
        $router.feed(
            $crate::api!(@spec feed $prefix $name $scope $params, $result),
            move |caller: $crate::Caller, params: $params, consumed: $crate::Consumed| {
                let object = $crate::__private::Arc::clone(&object);
                async move { <S as $service>::$name(&object, &caller, params, consumed).await }
            },
        );
    }};
    (@mount $kind:ident $router:ident $object:ident $service:ident $prefix:literal $name:ident $scope:ident $params:ty, $result:ty) => {{
        let object = $crate::__private::Arc::clone(&$object);
        $router.$kind(
            $crate::api!(@spec $kind $prefix $name $scope $params, $result),
            move |caller: $crate::Caller, params: $params| {
                let object = $crate::__private::Arc::clone(&object);
                async move { <S as $service>::$name(&object, &caller, params).await }
            },
        );
    }};

    (@call unary $(#[$mdoc:meta])* $prefix:literal $name:ident $params:ty, $result:ty) => {
        $(#[$mdoc])*
        ///
        /// # Errors
        /// What the method answered, or `link_closed`.
        pub async fn $name(&self, params: &$params) -> Result<$result, $crate::ApiError> {
            self.0.call(concat!($prefix, ".", stringify!($name)), params).await
        }
    };
    (@call stream $(#[$mdoc:meta])* $prefix:literal $name:ident $params:ty, $result:ty) => {
        $(#[$mdoc])*
        ///
        /// # Errors
        /// `link_closed`; the method's own errors are the first item.
        pub async fn $name(&self, params: &$params) -> Result<$crate::Subscription<$result>, $crate::ApiError> {
            self.0.subscribe(concat!($prefix, ".", stringify!($name)), params).await
        }
    };
    (@call feed $(#[$mdoc:meta])* $prefix:literal $name:ident $params:ty, $result:ty) => {
        $(#[$mdoc])*
        ///
        /// # Errors
        /// `link_closed`; the method's own errors are the first item.
        pub async fn $name(&self, params: &$params) -> Result<$crate::Feed, $crate::ApiError> {
            self.0.feed(concat!($prefix, ".", stringify!($name)), params).await
        }
    };
}
