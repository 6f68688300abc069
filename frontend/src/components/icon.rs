//! Line drawings on a grid of 20, in the colour of the text beside them.

use leptos::prelude::*;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Icon {
    Overview,
    Requests,
    Audit,
    Key,
    Model,
    Catalog,
    Provider,
    Budget,
    Limit,
    Chargeback,
    Team,
    Members,
    Token,
    Settings,
    Plus,
    Copy,
    Check,
    Close,
    Menu,
    Chevron,
    ChevronRight,
    Alert,
    Lock,
    Inbox,
    Retry,
    Trash,
    Pencil,
    Bolt,
    SignOut,
    Person,
    Sun,
    Mail,
    Eye,
    EyeOff,
    ArrowUp,
    ArrowDown,
    Undo,
    Redo,
    Minus,
    Fit,
    Target,
    Fallback,
    Weighted,
    RoundRobin,
    LeastBusy,
    Fastest,
    Cheapest,
    LowestUsage,
    Sticky,
    When,
    Task,
    Canary,
}

const fn strokes(icon: Icon) -> &'static str {
    match icon {
        Icon::Overview => "<path d='M3 17h14M5 13v-3M10 13V4M15 13V7'/>",
        Icon::Requests => "<path d='M3 5h14M3 10h9M3 15h11'/><circle cx='16.2' cy='10' r='1.3'/>",
        Icon::Audit => "<path d='M5 2.8h7l3.5 3.5v10.9H5zM12 2.8v3.6h3.4M7.8 10h4.6M7.8 13.2h4.6'/>",
        Icon::Key => "<circle cx='7' cy='13' r='3.6'/><path d='m9.6 10.4 7-7M13.4 6.6l2.6 2.6'/>",
        Icon::Model => "<path d='m10 2.8 6.4 3.6v7.2L10 17.2l-6.4-3.6V6.4zM3.8 6.5 10 10l6.2-3.5M10 10v7'/>",
        Icon::Catalog => {
            "<path d='M4 3.500h9.500A2.500 2.500 0 0 1 16 6v11H6.500A2.500 2.500 0 0 1 4 14.500zM4 14.500A2.500 2.500 0 0 1 6.500 12H16M7.500 7h5'/>"
        }
        Icon::Provider => {
            "<rect x='3' y='3.5' width='14' height='5' rx='1.4'/><rect x='3' y='11.5' width='14' height='5' rx='1.4'/><path d='M6 6h.01M6 14h.01M9.5 6H14M9.5 14H14'/>"
        }
        Icon::Budget => {
            "<path d='M3 6.500h12.500a1.500 1.500 0 0 1 1.500 1.500v7a1.500 1.500 0 0 1-1.500 1.500H4.500A1.500 1.500 0 0 1 3 15zM3 6.500 13 3v3.500M13.500 11.500h.01'/>"
        }
        Icon::Chargeback => {
            "<path d='M5 3h10v14l-2.500-1.500L10 17l-2.500-1.500L5 17zM7.500 7h5M7.500 10h5M7.500 13h2.500'/>"
        }
        Icon::Limit => "<path d='M3.500 15a7 7 0 1 1 13 0M10 11.500 13 7.500M3.500 15h2M14.500 15h2'/>",
        Icon::Team => {
            "<circle cx='10' cy='5' r='2.3'/><circle cx='4.8' cy='14.6' r='2.3'/><circle cx='15.2' cy='14.6' r='2.3'/><path d='M8.9 7 6 12.6M11.1 7l2.9 5.6M7.2 14.6h5.6'/>"
        }
        Icon::Members => {
            "<circle cx='7.4' cy='7' r='3'/><path d='M2 16.6c.5-3.2 2.6-4.8 5.4-4.8s4.9 1.6 5.4 4.800M13 4.300a3 3 0 0 1 0 5.500M15 12.300c1.7.7 2.7 2.1 3 4.3'/>"
        }
        Icon::Token => {
            "<path d='M10 2.6 3.6 5.200v4.600c0 3.7 2.5 6.4 6.4 7.6 3.9-1.2 6.4-3.9 6.4-7.600V5.200z'/><path d='m7.4 9.8 1.9 1.9 3.5-3.7'/>"
        }
        Icon::Settings => {
            "<path d='M3 6h5M12 6h5M3 14h8M15 14h2'/><circle cx='10' cy='6' r='2'/><circle cx='13' cy='14' r='2'/>"
        }
        Icon::Plus => "<path d='M10 4v12M4 10h12'/>",
        Icon::Copy => {
            "<rect x='7' y='7' width='9.5' height='9.5' rx='1.6'/><path d='M13 7V4.800c0-.8-.5-1.3-1.3-1.300H4.800c-.8 0-1.3.5-1.3 1.300v6.900c0 .8.5 1.3 1.3 1.300H7'/>"
        }
        Icon::Check => "<path d='m4 10.5 4 4 8-9'/>",
        Icon::Close => "<path d='m5 5 10 10M15 5 5 15'/>",
        Icon::Menu => "<path d='M3 5.500h14M3 10h14M3 14.500h14'/>",
        Icon::Chevron => "<path d='m6.5 8 3.5-3.500L13.5 8M6.5 12l3.5 3.5 3.5-3.5'/>",
        Icon::ChevronRight => "<path d='m7.5 4.5 5.5 5.5-5.5 5.5'/>",
        Icon::Alert => "<path d='M10 3.2 17.6 16.400H2.400zM10 8.200v3.800M10 14.200v.01'/>",
        Icon::Lock => {
            "<rect x='4' y='9' width='12' height='8' rx='1.8'/><path d='M6.8 9V6.400a3.2 3.2 0 0 1 6.4 0V9'/>"
        }
        Icon::Inbox => {
            "<path d='M3 11.5 5.2 4h9.600L17 11.500V16H3zM3 11.500h4.200c.2 1.5 1.3 2.4 2.8 2.400s2.6-.9 2.8-2.400H17'/>"
        }
        Icon::Retry => "<path d='M16 10a6 6 0 1 1-1.9-4.400M16 3.200v3.300h-3.3'/>",
        Icon::Trash => {
            "<path d='M3.5 5.500h13M8 5.500V3.300h4v2.200M5 5.500l.8 11.200h8.400L15 5.500M8.4 8.800v4.800M11.6 8.800v4.8'/>"
        }
        Icon::Pencil => "<path d='m4 16 .7-3.400L13.3 4l2.7 2.7-8.6 8.600zM11.5 5.800l2.7 2.7'/>",
        Icon::Bolt => "<path d='M11 2.6 4.6 11.400H10l-1 6 6.4-8.800H10z'/>",
        Icon::SignOut => "<path d='M8 3.500H4v13h4M12.5 6.5 16 10l-3.5 3.500M16 10H8'/>",
        Icon::Person => "<circle cx='10' cy='6.8' r='3.3'/><path d='M3.6 17c.6-3.5 3-5.3 6.4-5.300s5.8 1.8 6.4 5.3'/>",
        Icon::Sun => {
            "<circle cx='10' cy='10' r='3.3'/><path d='M10 2.500v1.800M10 15.700v1.800M2.5 10h1.800M15.7 10h1.800M4.7 4.7 6 6M14 14l1.3 1.300M15.3 4.7 14 6M6 14l-1.3 1.3'/>"
        }
        Icon::Mail => "<rect x='3' y='4.5' width='14' height='11' rx='1.6'/><path d='m3.5 6 6.5 5 6.5-5'/>",
        Icon::Eye => {
            "<path d='M2.5 10s2.7-5 7.5-5 7.5 5 7.5 5-2.7 5-7.5 5-7.5-5-7.5-5z'/><circle cx='10' cy='10' r='2.2'/>"
        }
        Icon::EyeOff => {
            "<path d='M4 6.800C3 8.1 2.5 10 2.5 10s2.7 5 7.5 5c1.3 0 2.4-.4 3.4-.9M8 5.200c.6-.1 1.3-.2 2-.2 4.8 0 7.5 5 7.5 5s-.6 1.2-1.8 2.400M3.5 3.500l13 13'/>"
        }
        Icon::ArrowUp => "<path d='M10 16V4M5.5 8.500 10 4l4.5 4.5'/>",
        Icon::ArrowDown => "<path d='M10 4v12M5.5 11.500 10 16l4.5-4.5'/>",
        Icon::Undo => "<path d='M7.5 4 4 7.500 7.500 11M4 7.500h8a4 4 0 0 1 0 8H8'/>",
        Icon::Redo => "<path d='M12.5 4 16 7.500 12.500 11M16 7.500H8a4 4 0 0 0 0 8h4'/>",
        Icon::Minus => "<path d='M4 10h12'/>",
        Icon::Fit => "<path d='M3.5 7.500v-4h4M12.5 3.500h4v4M16.5 12.500v4h-4M7.5 16.500h-4v-4'/>",
        Icon::Target => "<circle cx='10' cy='10' r='6.8'/><circle cx='10' cy='10' r='2.4'/>",
        Icon::Fallback => "<path d='M3.500 5.500h6M9.500 5.500v4.500M6.8 10h6M12.8 10v4.500M10 14.500h6.5'/>",
        Icon::Weighted => {
            "<path d='M10 3.500v13M6.500 16.500h7M4 6.500l12-1M4 6.500 2.300 11h3.400zM16 5.500 14.300 10h3.4z'/>"
        }
        Icon::RoundRobin => {
            "<path d='M15.9 8.500A6.1 6.1 0 0 0 4.900 7M4.100 11.500a6.100 6.100 0 0 0 11 1.500M4.500 3.800V7.200h3.400M15.500 16.200v-3.400h-3.4'/>"
        }
        Icon::LeastBusy => "<path d='M4 16.500V6M8 16.500v-3M12 16.500V8.500M16 16.500V4'/>",
        Icon::Fastest => {
            "<path d='M3.300 14.500a7.200 7.200 0 1 1 13.4 0M10 12l3.6-4.200'/><circle cx='10' cy='12.4' r='1'/>"
        }
        Icon::Cheapest => {
            "<circle cx='10' cy='10' r='6.800'/><path d='M12.300 7.600c-.4-.8-1.2-1.200-2.300-1.200-1.300 0-2.300.6-2.300 1.700 0 2.500 4.800 1.100 4.800 3.700 0 1.100-1 1.800-2.500 1.800-1.200 0-2.200-.5-2.600-1.400M10 5v10'/>"
        }
        Icon::LowestUsage => "<path d='M3 5.500c3 0 3.500 8 7 8s4-3.500 7-3.500M3 16.800h14'/>",
        Icon::Sticky => {
            "<path d='M6.500 3.500v5a3.500 3.500 0 0 0 7 0v-5M3.800 3.500v5a6.200 6.200 0 0 0 12.400 0v-5M3.800 3.500h2.700M13.500 3.500h2.700M10 14.700v2'/>"
        }
        Icon::When => "<path d='M10 2.800 17.200 10 10 17.200 2.800 10zM10 7v3.600M10 13v.01'/>",
        Icon::Task => "<path d='M3.500 9.500V4h5.500l7.500 7.500-5.500 5.5zM6.6 7.100h.01'/>",
        Icon::Canary => {
            "<path d='M4 16.500c4.500 0 8-2.500 8-7M12 9.500a3 3 0 1 0-5.600-1.500c0 2-1.400 3-3.400 3M9.200 6.300h.01M12 7.500l3.500 1-3.500 1.200M8 14.800l1 2'/>"
        }
    }
}

pub(crate) fn icon(icon: Icon) -> AnyView {
    view! { <svg class="icon" viewBox="0 0 20 20" aria-hidden="true" focusable="false" inner_html=strokes(icon)></svg> }
        .into_any()
}
