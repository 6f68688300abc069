//! Tables that scroll sideways when the window is narrow, or turn into cards when it is a telephone.

use leptos::prelude::*;

/// `columns` are the headings; an empty one is the column of the row's actions.
pub(crate) fn table(label: &'static str, columns: &[&'static str], rows: AnyView) -> AnyView {
    let head = |title: &&'static str| match *title {
        "" => view! { <th scope="col" class="actions"><span class="unseen">"Actions"</span></th> }.into_any(),
        title => view! { <th scope="col">{title}</th> }.into_any(),
    };
    view! {
        <div class="table-box">
            <table class="table">
                <caption class="unseen">{label}</caption>
                <thead><tr>{columns.iter().map(head).collect_view()}</tr></thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
    .into_any()
}
