// The menu is folded on narrow screens. Where style alone cannot keep it open on wide ones, it is opened here.
if (!CSS.supports("selector(::details-content)") && matchMedia("(min-width: 60.01rem)").matches) {
  document.querySelector(".side-fold").open = true;
}
